using System.CommandLine;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Evaluation.Tasks;

namespace JepaSharp.Cli.Verbs.Evaluate;

/// <summary><c>jepa evaluate ridge</c>.</summary>
internal sealed class RidgeVerb : ProbeVerb
{
    private readonly PenaltyOption _penalty = new("as in |Y - XW|^2 + p |W|^2");

    public RidgeVerb()
        : base("ridge", "Ridge regression to one-hot targets on standardised features, in closed form.") => _penalty.AddTo(this);

    protected override ProbeTask Task(ParseResult arguments, ulong seed)
    {
        var options = new RidgeOptions { Seed = seed };
        return LinearModelTask.Ridge(_penalty.Read(arguments) is { } penalties ? options with { Penalties = penalties } : options);
    }
}
