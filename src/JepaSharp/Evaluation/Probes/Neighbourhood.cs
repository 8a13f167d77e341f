using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Probes;

/// <summary>A fitted nearest-neighbour probe: the fit set's features at unit length.</summary>
public sealed class Neighbourhood : Classifier
{
    private const int LargestChunk = 1 << 24; // similarities at a time: 64 MiB

    private readonly int _classes;
    private readonly int[] _labels;
    private readonly KnnOptions _options;
    private readonly double[] _centre;
    private readonly float[] _unit;

    internal Neighbourhood(ClassificationSet fit, KnnOptions options)
    {
        (_labels, _classes, _options) = (fit.Labels.ToArray(), fit.Classes, Checked(options));
        _centre = options.CentreOnFitMean ? FeatureMoments.Of(fit.Features).Mean : new double[fit.Features.Width];
        _unit = UnitRows(fit.Features, 0, fit.Count);
    }

    /// <summary>One that was kept.</summary>
    /// <param name="unit">[n, D] less the centre, of length 1.</param>
    /// <param name="labels">[n].</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="centre">[D].</param>
    /// <param name="options">k and temperature.</param>
    internal Neighbourhood(float[] unit, int[] labels, int classes, double[] centre, KnnOptions options) =>
        (_unit, _labels, _classes, _centre, _options) = (unit, labels, classes, centre, Checked(options));

    /// <summary>[n, D], less <see cref="Centre"/> and of length 1.</summary>
    internal float[] Unit => _unit;

    /// <summary>[n].</summary>
    internal int[] Labels => _labels;

    /// <summary>[D].</summary>
    internal double[] Centre => _centre;

    /// <summary>k and temperature.</summary>
    internal KnnOptions Options => _options;

    /// <inheritdoc/>
    public override int[] Predict(FeatureMatrix features) => Predict(features, [_options.Neighbours])[0];

    /// <summary>Labels [n] for each of several k, from one search.</summary>
    /// <param name="features">[n, D].</param>
    /// <param name="neighbours">Each k, at least 1.</param>
    internal int[][] Predict(FeatureMatrix features, IReadOnlyList<int> neighbours)
    {
        int[][] labels = [.. neighbours.Select(_ => new int[features.Rows])];
        Search(features, neighbours, (k, image, votes) => labels[k][image] = votes.IndexOf(votes.Max()));
        return labels;
    }

    /// <summary>Each class's share of the votes: [n, K] row-major.</summary>
    /// <param name="features">[n, D].</param>
    internal double[] Shares(FeatureMatrix features)
    {
        var shares = new double[(long)features.Rows * _classes];
        Search(features, [_options.Neighbours], (_, image, votes) =>
        {
            var all = votes.Sum();
            // Far from everything, no vote is above 0 in double precision: nothing is known.
            for (var c = 0; c < votes.Length; c++) shares[((long)image * _classes) + c] = all > 0 ? votes[c] / all : 1.0 / votes.Length;
        });
        return shares;
    }

    private void Search(FeatureMatrix features, IReadOnlyList<int> neighbours, Action<int, int, double[]> take)
    {
        features.RequireWidth(_centre.Length);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var fit = tensor(_unit, [_labels.Length, _centre.Length]).t();
        var most = Math.Min(neighbours.Max(), _labels.Length);
        var votes = new double[_classes];
        var chunk = Math.Max(1, LargestChunk / _labels.Length);
        for (var first = 0; first < features.Rows; first += chunk)
        {
            using var inner = NewDisposeScope();
            var count = Math.Min(chunk, features.Rows - first);
            var cosines = tensor(UnitRows(features, first, count), [count, _centre.Length]).mm(fit);
            var (nearest, at) = cosines.topk(most, 1);
            var (values, rows) = (nearest.contiguous().data<float>().ToArray(), at.contiguous().data<long>().ToArray());
            for (var k = 0; k < neighbours.Count; k++)
            {
                for (var i = 0; i < count; i++)
                {
                    Vote(values, rows, i * most, Math.Min(neighbours[k], most), votes);
                    take(k, first + i, votes);
                }
            }
        }
    }

    /// <summary>The first k of an image's neighbours vote; of several classes with the most votes, the first wins.</summary>
    private void Vote(float[] cosines, long[] rows, int from, int neighbours, double[] votes)
    {
        votes.AsSpan().Clear();
        // Relative to cosine 1, so that a small T cannot overflow.
        for (var n = from; n < from + neighbours; n++) votes[_labels[(int)rows[n]]] += Math.Exp((cosines[n] - 1) / _options.Temperature);
    }

    private static KnnOptions Checked(KnnOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Neighbours);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Temperature);
        return options;
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
