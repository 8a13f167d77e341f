using System.CommandLine;
using JepaSharp.Evaluation.Tasks;

namespace JepaSharp.Cli.Verbs.Evaluate;

/// <summary><c>jepa evaluate linear</c>.</summary>
internal sealed class LinearVerb : ProbeVerb
{
    private readonly LinearOptionsGroup _linear = new();

    public LinearVerb()
        : base("linear", "Batch norm and a linear layer on frozen features, trained by SGD over a grid of learning rates and weight decays.", defaultFeatures: "both") =>
        _linear.AddTo(this);

    protected override ProbeTask Task(ParseResult arguments, ulong seed) => LinearModelTask.Linear(_linear.Read(arguments, seed));
}
