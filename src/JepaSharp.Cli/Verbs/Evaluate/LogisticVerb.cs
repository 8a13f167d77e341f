using System.CommandLine;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Evaluation.Tasks;

namespace JepaSharp.Cli.Verbs.Evaluate;

/// <summary><c>jepa evaluate logistic</c>.</summary>
internal sealed class LogisticVerb : ProbeVerb
{
    private readonly PenaltyOption _penalty = new("as in mean cross-entropy + p/2 |W|^2");

    public LogisticVerb()
        : base("logistic", "Multinomial logistic regression on standardised features, by L-BFGS.") => _penalty.AddTo(this);

    protected override ProbeTask Task(ParseResult arguments, ulong seed)
    {
        var options = new LogisticOptions { Seed = seed };
        return LinearModelTask.Logistic(_penalty.Read(arguments) is { } penalties ? options with { Penalties = penalties } : options);
    }
}
