using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace JepaSharp.Cli;

/// <summary>The help page of the command or of a verb, with examples at its end.</summary>
/// <param name="usual">Writes all but the examples.</param>
internal sealed class HelpPage(HelpAction usual) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var code = usual.Invoke(parseResult);
        var examples = VerbExamples.Of(NameOf(parseResult.CommandResult.Command));
        var output = parseResult.InvocationConfiguration.Output;
        if (examples.Count == 0) return code;
        output.WriteLine(examples.Count == 1 ? "Example:" : "Examples:");
        foreach (var example in examples) output.WriteLine("  " + example);
        output.WriteLine();
        return code;
    }

    /// <summary>A verb's name with those that it stands under, without the command's.</summary>
    internal static string NameOf(Command command) => command is RootCommand ? "" : string.Join(
        ' ', command.Parents.OfType<Command>().Where(parent => parent is not RootCommand).Select(NameOf).Append(command.Name));
}
