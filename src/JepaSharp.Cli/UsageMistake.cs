using System.CommandLine;
using System.CommandLine.Parsing;
using JepaSharp.Runtime;

namespace JepaSharp.Cli;

/// <summary>Says what is wrong with a line of arguments, with the nearest known word.</summary>
internal static class UsageMistake
{
    /// <summary>Whether the line can be carried out.</summary>
    public static bool IsIn(ParseResult parsed) => parsed.Errors.Count > 0 || UnknownOption(parsed) is not null;

    /// <summary>Writes one message.</summary>
    /// <returns>The exit code.</returns>
    public static int Report(ParseResult parsed, TextWriter error)
    {
        var command = parsed.CommandResult.Command;
        var name = FullNameOf(command);
        foreach (var problem in Problems(parsed, command, name).Distinct()) error.WriteLine($"jepa: {problem}");
        error.WriteLine($"See '{name} --help'.");
        return ExitCode.WrongUsage;
    }

    private static string FullNameOf(Command command) => command is RootCommand
        ? "jepa"
        : command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{FullNameOf(parent)} {command.Name}" : $"jepa {command.Name}";

    private static IEnumerable<string> Problems(ParseResult parsed, Command command, string name)
    {
        // A word that is not understood makes the parser complain of everything after it: the first such word is the mistake.
        if ((UnknownOption(parsed) ?? (parsed.UnmatchedTokens is [var unmatched, ..] ? unmatched : null)) is not { } word)
            // The parser puts each choice on a line of its own; a message here is one line.
            return parsed.Errors.Select(e => string.Join(' ', e.Message.Split(['\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries)));
        var isOption = word.StartsWith('-');
        var what = isOption ? $"{name} has no option '{word}'" : command.Subcommands.Count > 0 ? $"{name} has no verb '{word}'" : $"{name} does not "
            + $"take '{word}'";
        var known = isOption
            ? command.Options.Where(o => !o.Hidden).SelectMany(o => o.Aliases.Prepend(o.Name))
            : command.Subcommands.Select(c => c.Name);
        var suggestion = NearestName.Of(word.Split('=', 2)[0], known) is { } near ? $"; did you mean '{near}'?" : ".";
        return [what + suggestion];
    }

    /// <summary>A mistyped option that the parser took for a value, as it does where a value may stand: <c>pretrain --dta photos</c>.</summary>
    private static string? UnknownOption(ParseResult parsed)
    {
        if (parsed.Tokens.Any(t => t.Type == TokenType.DoubleDash)) return null;
        return parsed.CommandResult.Children.SelectMany(c => c.Tokens).Select(t => t.Value).FirstOrDefault(IsLikeAnOption);

        static bool IsLikeAnOption(string v) => v.Length > 1 && v[0] == '-' && (v[1] == '-' || char.IsAsciiLetter(v[1])); // not -1, not -.5
    }
}
