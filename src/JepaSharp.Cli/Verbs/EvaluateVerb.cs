using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Verbs.Evaluate;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa evaluate TASK</c>: what an encoder is worth, as numbers on images that nothing was fitted on.</summary>
internal sealed class EvaluateVerb : Verb
{
    public EvaluateVerb()
        : base("evaluate", "Says what an encoder is worth: probes on frozen features, beside baselines.")
    {
        Verb[] tasks =
        [
            new KnnVerb(), new LinearVerb(), new LogisticVerb(), new RidgeVerb(), new LowShotVerb(), new FineTuneVerb(), new CountVerb(), new DistanceVerb(),
            new EvaluateCheckpointsVerb(),
        ];
        foreach (var task in tasks) Add(task);
    }

    public override bool PrintsItsResult(ParseResult arguments) => true;

    /// <summary>Without a task: says which there are.</summary>
    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop) =>
        arguments.RootCommandResult.Command.Parse("evaluate --help").Invoke(new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error });
}
