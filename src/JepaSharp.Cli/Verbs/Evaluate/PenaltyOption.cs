using System.CommandLine;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Evaluation.Tasks;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs.Evaluate;

/// <summary>The penalties that a linear model is fitted with.</summary>
internal sealed class PenaltyOption(string unit)
{
    private readonly Option<double[]> _penalties = new("--penalty")
    {
        Description = $"L2 penalties to choose among on held-out fit data, {unit}; a single one is used as it is.",
        AllowMultipleArgumentsPerToken = true,
        HelpName = "P",
    };

    public void AddTo(Command command) => command.Add(_penalties);

    /// <summary>Those given, or null.</summary>
    /// <exception cref="JepaException">One is not above 0.</exception>
    public IReadOnlyList<double>? Read(ParseResult arguments)
    {
        var given = arguments.GetValue(_penalties);
        if (given is not { Length: > 0 }) return null;
        return given.All(p => p > 0 && double.IsFinite(p)) ? given : throw new JepaException(
            "--penalty: expected finite numbers above 0.", isUsage: true);
    }
}

/// <summary><c>jepa evaluate logistic</c>.</summary>
internal sealed class LogisticVerb : ProbeVerb
{
    private const string Standard = "standard", OfSiamese = "msn";

    private readonly PenaltyOption _penalty = new("as in mean cross-entropy + p/2 |W|^2");
    private readonly Option<string> _recipe = new("--recipe")
    {
        Description = "standard: on standardised features; msn: as MSN publishes it, on features of each image less their mean and of length 1, "
            + "without a bias, one penalty, divided by the images.",
        DefaultValueFactory = _ => Standard,
        HelpName = "RECIPE",
    };

    public LogisticVerb()
        : base("logistic", "Multinomial logistic regression on standardised features, by L-BFGS.")
    {
        _penalty.AddTo(this);
        Add(_recipe);
        _recipe.AcceptOnlyFromAmong(Standard, OfSiamese);
    }

    protected override ProbeTask Task(ParseResult arguments, ulong seed)
    {
        var options = new LogisticOptions { Seed = seed };
        if (arguments.GetValue(_recipe) == OfSiamese)
            options = options with { OfUnitFeatures = true, Penalties = [LogisticOptions.PublishedPenalty] };
        return LinearModelTask.Logistic(_penalty.Read(arguments) is { } penalties ? options with { Penalties = penalties } : options);
    }
}

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
