using JepaSharp.Evaluation.Neighbours;
using JepaSharp.Evaluation.Probes;

namespace JepaSharp.Evaluation.Heads;

/// <summary>The kinds of heads of numbers, and how they are fitted.</summary>
internal static class NumberMethods
{
    private const int Neighbours = 10;
    private const string Penalty = "penalty", Voters = "neighbours";

    /// <summary>Fits, and chooses whatever has to be chosen, on the given images alone.</summary>
    /// <param name="kind">One of <see cref="HeadKinds.OfNumbers"/>.</param>
    /// <param name="set">The images.</param>
    /// <param name="seed">Seed of splits.</param>
    /// <param name="settings">What an earlier fit of the same kind chose; null to choose.</param>
    /// <exception cref="ArgumentException">Another kind.</exception>
    public static HeadModel Fit(string kind, RegressionSet set, ulong seed, IReadOnlyDictionary<string, double>? settings)
    {
        if (kind == HeadKinds.Neighbours)
        {
            var outputs = new NeighbourNumbers(UnitVectors.Of(set.Features), set.Values.ToArray(), Math.Min(Neighbours, set.Count));
            return new HeadModel(outputs, new Dictionary<string, double> { [Voters] = outputs.Neighbours });
        }

        if (kind != HeadKinds.Ridge) throw new ArgumentException($"\"{kind}\" is no head of numbers.", nameof(kind));
        var options = new RidgeOptions { Seed = seed };
        if (settings is not null) options = options with { Penalties = [settings[Penalty]] };
        else if (set.Count == 1) options = options with { Penalties = [100] };
        var fitted = RidgeProbe.Fit(set, options);
        return new HeadModel(new LinearOutputs(fitted.Readout), new Dictionary<string, double> { [Penalty] = fitted.Penalty });
    }

    /// <summary>Predicts and compares.</summary>
    public static RegressionScore Score(HeadModel model, RegressionSet set) => RegressionScore.Of(model.Outputs.Of(set.Features), set.Values);

    /// <summary>How far each prediction is from the truth: [n].</summary>
    public static double[] Distances(HeadModel model, RegressionSet set) =>
        [.. model.Outputs.Of(set.Features).Zip(set.Values.ToArray(), (predicted, truth) => Math.Abs(predicted - truth))];
}
