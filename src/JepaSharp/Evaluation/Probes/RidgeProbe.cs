namespace JepaSharp.Evaluation.Probes;

/// <summary>Settings of <see cref="RidgeProbe"/>.</summary>
public sealed record RidgeOptions
{
    /// <summary>Penalties to choose among on held-out fit data, each above 0; a single one is used as it is.</summary>
    /// <remarks>As in |Y - XW|^2 + p |W|^2 summed over images, with standardised features.</remarks>
    public IReadOnlyList<double> Penalties { get; init; } = [0.01, 0.1, 1, 10, 100, 1e3, 1e4, 1e5, 1e6];

    /// <summary>Share of the fit data held out for the choice, between 0 and 1.</summary>
    public double HeldOutShare { get; init; } = 0.2;

    /// <summary>Seed of the split.</summary>
    public ulong Seed { get; init; }
}

/// <summary>Closed-form linear probe: ridge regression on standardised features, for numbers or for classes (as one-hot targets).</summary>
/// <remarks>
/// The mean, deviation, penalty and weights all come from the fit set: the penalty is the best on a held-out part of it, after
/// which all of it is fitted again. The same answer every time, in seconds. Derivation: <see cref="RidgeEquations"/>.
/// </remarks>
public static class RidgeProbe
{
    /// <summary>Fits one output a class to targets 1 and 0; the largest names the class.</summary>
    /// <exception cref="ArgumentException">No penalty, one that is not positive, or a share outside (0, 1).</exception>
    /// <exception cref="Runtime.JepaException">Images of one class only, or too few to hold any out.</exception>
    public static LinearClassifier Fit(ClassificationSet fit, RidgeOptions? options = null)
    {
        options ??= new RidgeOptions();
        _ = fit.RequireFittable();
        var search = PenaltySearch.Run(
            options.Penalties,
            () => HeldOutSplit.ByClass(fit.Labels, fit.Classes, options.HeldOutShare, options.Seed),
            split =>
            {
                var equations = Equations(fit.Select(split.Fit));
                var heldOut = fit.Select(split.HeldOut);
                return p => new LinearClassifier(equations.Solve(p), p).Score(heldOut).Accuracy;
            });
        return new LinearClassifier(Equations(fit).Solve(search.Penalty), search.Penalty) { Trials = search.Trials };
    }

    /// <summary>Fits a number.</summary>
    /// <exception cref="ArgumentException">No penalty, one that is not positive, or a share outside (0, 1).</exception>
    /// <exception cref="Runtime.JepaException">Too few images to hold any out.</exception>
    public static LinearRegressor Fit(RegressionSet fit, RidgeOptions? options = null)
    {
        options ??= new RidgeOptions();
        var search = PenaltySearch.Run(
            options.Penalties,
            () => HeldOutSplit.OfAll(fit.Count, options.HeldOutShare, options.Seed),
            split =>
            {
                var equations = Equations(fit.Select(split.Fit));
                var heldOut = fit.Select(split.HeldOut);
                return p => -new LinearRegressor(equations.Solve(p), p).Score(heldOut).RootMeanSquareError;
            });
        return new LinearRegressor(Equations(fit).Solve(search.Penalty), search.Penalty) { Trials = search.Trials };
    }

    private static RidgeEquations Equations(RegressionSet fit) => new(fit.Features, fit.Values.ToArray());

    private static RidgeEquations Equations(ClassificationSet fit)
    {
        var targets = new double[fit.Count * fit.Classes];
        for (var i = 0; i < fit.Count; i++) targets[(i * fit.Classes) + fit.Labels[i]] = 1;
        return new RidgeEquations(fit.Features, targets);
    }
}
