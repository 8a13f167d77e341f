using System.CommandLine;
using JepaSharp.Cli.Display;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa completion</c>: the script by which a shell completes verbs and options.</summary>
internal sealed class CompletionVerb : Verb
{
    private readonly Argument<string> _shell = new("SHELL") { Description = string.Join(", ", Completion.Shells) + "." };

    public CompletionVerb()
        : base("completion", "Prints the script by which a shell completes verbs and options at the tabulator key.")
    {
        Add(_shell);
        _shell.AcceptOnlyFromAmong([.. Completion.Shells]);
    }

    public override bool PrintsItsResult(ParseResult arguments) => true;

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        foreach (var line in Completion.ScriptFor(arguments.GetValue(_shell)!).Split('\n')) terminal.Out.WriteLine(line);
        return ExitCode.Done;
    }
}
