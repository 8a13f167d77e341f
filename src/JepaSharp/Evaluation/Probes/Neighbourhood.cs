using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Probes;

/// <summary>A fitted nearest-neighbour probe: the fit set's features at unit length.</summary>
public sealed class Neighbourhood : Classifier
{
    private const int LargestChunk = 1 << 24; // similarities at a time: 64 MiB

    private readonly ClassificationSet _fit;
    private readonly KnnOptions _options;
    private readonly double[] _centre;
    private readonly float[] _unit;

    internal Neighbourhood(ClassificationSet fit, KnnOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Neighbours);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Temperature);
        (_fit, _options) = (fit, options);
        _centre = options.CentreOnFitMean ? FeatureMoments.Of(fit.Features).Mean : new double[fit.Features.Width];
        _unit = UnitRows(fit.Features, 0, fit.Count);
    }

    /// <inheritdoc/>
    public override int[] Predict(FeatureMatrix features) => Predict(features, [_options.Neighbours])[0];

    /// <summary>Labels [n] for each of several k, from one search.</summary>
    /// <param name="features">[n, D].</param>
    /// <param name="neighbours">Each k, at least 1.</param>
    internal int[][] Predict(FeatureMatrix features, IReadOnlyList<int> neighbours)
    {
        features.RequireWidth(_centre.Length);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var fit = tensor(_unit, [_fit.Count, _centre.Length]).t();
        var most = Math.Min(neighbours.Max(), _fit.Count);
        int[][] labels = [.. neighbours.Select(_ => new int[features.Rows])];
        var chunk = Math.Max(1, LargestChunk / _fit.Count);
        for (var first = 0; first < features.Rows; first += chunk)
        {
            using var inner = NewDisposeScope();
            var count = Math.Min(chunk, features.Rows - first);
            var cosines = tensor(UnitRows(features, first, count), [count, _centre.Length]).mm(fit);
            var (nearest, at) = cosines.topk(most, 1);
            var (values, rows) = (nearest.contiguous().data<float>().ToArray(), at.contiguous().data<long>().ToArray());
            for (var k = 0; k < neighbours.Count; k++) Vote(values, rows, most, Math.Min(neighbours[k], most), labels[k].AsSpan(first, count));
        }

        return labels;
    }

    /// <summary>The first k of each image's neighbours vote; of several classes with the most votes, the first.</summary>
    private void Vote(float[] cosines, long[] rows, int stride, int neighbours, Span<int> labels)
    {
        var votes = new double[_fit.Classes];
        for (var i = 0; i < labels.Length; i++)
        {
            votes.AsSpan().Clear();
            // Relative to cosine 1, so that a small T cannot overflow.
            for (var n = i * stride; n < (i * stride) + neighbours; n++)
                votes[_fit.Labels[(int)rows[n]]] += Math.Exp((cosines[n] - 1) / _options.Temperature);
            labels[i] = votes.IndexOf(votes.Max());
        }
    }

    private float[] UnitRows(FeatureMatrix features, int first, int count)
    {
        var unit = new float[count * features.Width];
        for (var i = 0; i < count; i++)
        {
            var row = features.Row(first + i);
            var squares = 0.0;
            for (var d = 0; d < row.Length; d++) squares += (row[d] - _centre[d]) * (row[d] - _centre[d]);
            var inverse = 1 / Math.Max(Math.Sqrt(squares), 1e-12);
            for (var d = 0; d < row.Length; d++) unit[(i * features.Width) + d] = (float)((row[d] - _centre[d]) * inverse);
        }

        return unit;
    }
}

/// <summary>Settings of <see cref="KnnProbe"/>: DINO's k and temperature.</summary>
public sealed record KnnOptions
{
    /// <summary>k, neighbours that vote; all, where there are fewer.</summary>
    public int Neighbours { get; init; } = 20;

    /// <summary>T: a neighbour at cosine s votes with weight exp(s / T).</summary>
    public double Temperature { get; init; } = 0.07;

    /// <summary>
    /// Whether the mean of the fit features is subtracted from all. Deviation: DINO does not; masked-prediction features have a large
    /// common part, which makes all cosines alike.
    /// </summary>
    public bool CentreOnFitMean { get; init; } = true;
}

/// <summary>Weighted k-nearest-neighbours classification by cosine similarity.</summary>
/// <remarks>
/// Wu et al., "Unsupervised feature learning via non-parametric instance discrimination" (CVPR 2018), section 3.4, as evaluated by DINO
/// (Caron et al., ICCV 2021): score of class c = sum over the k nearest of exp(cosine / T) [label = c].
/// </remarks>
public static class KnnProbe
{
    /// <summary>Keeps the fit set's features, at unit length.</summary>
    /// <exception cref="ArgumentOutOfRangeException">k or T is not positive.</exception>
    /// <exception cref="Runtime.JepaException">All images are of one class.</exception>
    public static Neighbourhood Fit(ClassificationSet fit, KnnOptions? options = null) => new(fit.RequireFittable(), options ?? new KnnOptions());
}
