using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Probes;

/// <summary>An affine map from features to outputs, in double precision: y = x W + b.</summary>
/// <param name="Weights">[D, T] row-major.</param>
/// <param name="Bias">[T].</param>
internal sealed record LinearReadout(double[] Weights, double[] Bias)
{
    private const int ChunkElements = 1 << 22;

    private int Width => Weights.Length / Bias.Length;

    /// <summary>The map on plain features that equals <paramref name="weights"/> and <paramref name="bias"/> on standardised ones.</summary>
    /// <param name="moments">What the features were standardised by: x' = (x - mean) / deviation.</param>
    /// <param name="weights">[D, T], for x'.</param>
    /// <param name="bias">[T].</param>
    public static LinearReadout Unstandardise(FeatureMoments moments, ReadOnlySpan<double> weights, ReadOnlySpan<double> bias)
    {
        var inverse = moments.InverseDeviation();
        var (plain, shifted) = (weights.ToArray(), bias.ToArray());
        for (var d = 0; d < inverse.Length; d++)
        {
            for (var t = 0; t < shifted.Length; t++)
            {
                ref var weight = ref plain[(d * shifted.Length) + t];
                weight *= inverse[d];
                shifted[t] -= weight * moments.Mean[d];
            }
        }

        return new LinearReadout(plain, shifted);
    }

    /// <summary>Outputs for features [n, D]: [n, T] row-major.</summary>
    public double[] Apply(FeatureMatrix features)
    {
        features.RequireWidth(Width);
        if (features.Rows == 1 || Bias.Length == 1) return InOrder(features);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        Tensor weights = tensor(Weights, [Width, Bias.Length]), bias = tensor(Bias);
        var outputs = new double[features.Rows * Bias.Length];
        var chunk = Math.Max(1, ChunkElements / Width);
        for (var first = 0; first < features.Rows; first += chunk)
        {
            using var inner = NewDisposeScope();
            var count = Math.Min(chunk, features.Rows - first);
            var part = features.ToTensor(first, count).to(ScalarType.Float64).mm(weights).Add(bias);
            part.data<double>().CopyTo(outputs.AsSpan(first * Bias.Length, count * Bias.Length));
        }

        return outputs;
    }

    /// <summary>One sum after the other: libtorch's product with a single row or column adds in an order that depends on where in memory the numbers
    /// lie, so that the last digit is not the same each time.</summary>
    private double[] InOrder(FeatureMatrix features)
    {
        var outputs = new double[features.Rows * Bias.Length];
        for (var i = 0; i < features.Rows; i++)
        {
            var row = features.Row(i);
            var sums = outputs.AsSpan(i * Bias.Length, Bias.Length);
            Bias.CopyTo(sums);
            for (var d = 0; d < row.Length; d++)
                for (var t = 0; t < sums.Length; t++) sums[t] += row[d] * Weights[(d * sums.Length) + t];
        }

        return outputs;
    }

    /// <summary>The largest output's number for each image, [n]; of several, the first.</summary>
    public int[] Largest(FeatureMatrix features)
    {
        var outputs = Apply(features);
        var labels = new int[features.Rows];
        for (var i = 0; i < labels.Length; i++)
        {
            var row = outputs.AsSpan(i * Bias.Length, Bias.Length);
            for (var t = 1; t < row.Length; t++)
                if (row[t] > row[labels[i]]) labels[i] = t;
        }

        return labels;
    }
}

/// <summary>A fitted linear classifier: the class with the largest affine output.</summary>
public sealed class LinearClassifier : Classifier
{
    internal LinearClassifier(LinearReadout readout, double penalty) => (Readout, Penalty) = (readout, penalty);

    /// <summary>The L2 penalty it was fitted with: the given one, or the one that did best on held-out fit data.</summary>
    public double Penalty { get; }

    /// <summary>Every setting that was tried on held-out fit data; none where there was no choice.</summary>
    public IReadOnlyList<Trial> Trials { get; internal init; } = [];

    /// <summary>The learning rate that it was trained with; null where it was not trained by steps.</summary>
    public double? LearningRate { get; internal init; }

    /// <inheritdoc/>
    public override int[] Predict(FeatureMatrix features) => Readout.Largest(TakesUnitFeatures ? UnitFeatures.Of(features) : features);

    internal LinearReadout Readout { get; }

    /// <summary>Whether <see cref="Readout"/> is of <see cref="UnitFeatures"/>.</summary>
    internal bool TakesUnitFeatures { get; init; }
}

/// <summary>A fitted linear regressor.</summary>
public sealed class LinearRegressor
{
    internal LinearRegressor(LinearReadout readout, double penalty) => (Readout, Penalty) = (readout, penalty);

    /// <summary>The L2 penalty it was fitted with: the given one, or the one that did best on held-out fit data.</summary>
    public double Penalty { get; }

    /// <summary>Every setting that was tried on held-out fit data; none where there was no choice.</summary>
    public IReadOnlyList<Trial> Trials { get; internal init; } = [];

    /// <summary>A number for each image: [n].</summary>
    public double[] Predict(FeatureMatrix features) => Readout.Apply(features);

    /// <summary>Predicts a test set and compares.</summary>
    public RegressionScore Score(RegressionSet test) => RegressionScore.Of(Predict(test.Features), test.Values);

    internal LinearReadout Readout { get; }
}
