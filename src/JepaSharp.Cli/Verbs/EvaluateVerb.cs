using System.CommandLine;
using JepaSharp.Cli.Display;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa evaluate</c>: whether an encoder is any good. Its own verbs do the work.</summary>
internal sealed class EvaluateVerb : Verb
{
    public EvaluateVerb()
        : base("evaluate", "Says whether an encoder is any good.") => Add(new EvaluateCheckpointsVerb());

    /// <summary>Without a task: says which there are.</summary>
    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop) =>
        arguments.RootCommandResult.Command.Parse("evaluate --help").Invoke(new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error });
}
