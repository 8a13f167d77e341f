using System.CommandLine;

namespace JepaSharp.Cli;

/// <summary>Says what is wrong with a line of arguments, with the nearest known word.</summary>
internal static class UsageMistake
{
    /// <summary>Writes one message.</summary>
    /// <returns>The exit code.</returns>
    public static int Report(ParseResult parsed, TextWriter error)
    {
        var command = parsed.CommandResult.Command;
        var name = command is RootCommand ? "jepa" : $"jepa {command.Name}";
        foreach (var problem in Problems(parsed, command, name).Distinct()) error.WriteLine($"jepa: {problem}");
        error.WriteLine($"See '{name} --help'.");
        return ExitCode.WrongUsage;
    }

    private static IEnumerable<string> Problems(ParseResult parsed, Command command, string name)
    {
        // A word that is not understood makes the parser complain of everything after it: the first such word is the mistake.
        if (parsed.UnmatchedTokens is not [var word, ..]) return parsed.Errors.Select(e => e.Message);
        var isOption = word.StartsWith('-');
        var what = isOption ? $"{name} has no option '{word}'" : command.Subcommands.Count > 0 ? $"{name} has no verb '{word}'" : $"{name} does not take '{word}'";
        var known = isOption
            ? command.Options.Where(o => !o.Hidden).SelectMany(o => o.Aliases.Prepend(o.Name))
            : command.Subcommands.Select(c => c.Name);
        var suggestion = NearestName.Of(word.Split('=', 2)[0], known) is { } near ? $"; did you mean '{near}'?" : ".";
        return [what + suggestion];
    }
}
