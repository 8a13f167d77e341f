using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Features;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Neighbours;

/// <summary>How alike two images must be to count as near-duplicates, measured on copies that are made for it.</summary>
/// <param name="Cosine">The least cosine of the encoder's features.</param>
/// <param name="Correlation">The least correlation of small pictures (<see cref="PictureSignature"/>).</param>
/// <param name="Images">Images that were copied; 0 where the thresholds were given.</param>
/// <remarks>
/// What a cosine means differs from encoder to encoder. So up to 200 images are altered as somebody who saves them again does
/// (<see cref="AlteredCopies"/>), and each threshold is what 39 of 40 of these copies reach with their originals: both together, at least 19 of 20.
/// </remarks>
public sealed record DuplicateThreshold(double Cosine, double Correlation, int Images)
{
    private const int Most = 200;
    private const double Missed = 0.025;

    /// <summary>What the copies are, in words.</summary>
    public static string Copies => AlteredCopies.Words;

    /// <summary>Measures.</summary>
    /// <param name="features">The features that are compared.</param>
    /// <param name="source">The images.</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <param name="read">Images of the source that <paramref name="vectors"/> are of, row by row.</param>
    /// <param name="vectors">The set.</param>
    /// <param name="pictures">Its small pictures, row by row.</param>
    /// <param name="seed">Seed of the draw.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="JepaException">Too many images cannot be read.</exception>
    public static DuplicateThreshold Measure(
        ImageFeatures features, ImageSource source, EvaluationTransform transform, IReadOnlyList<int> read, UnitVectors vectors,
        FeatureMatrix pictures, ulong seed = 0, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(read);
        ArgumentNullException.ThrowIfNull(vectors);
        var rows = Drawn(read.Count, seed);
        using var copies = new AlteredCopies(source, [.. rows.Select(row => read[row])]);
        var made = FrozenFeatures.Extract([features, new PictureSignature()], copies, transform, cancellation: cancellation);
        var (altered, indices) = (vectors.Like(made[0].Matrix), made[0].Indices);
        return new DuplicateThreshold(
            Reached(indices.Select((copy, i) => vectors.Cosine(rows[copy], altered, i))),
            Reached(indices.Select((copy, i) => PictureSignature.Correlation(pictures, rows[copy], made[1].Matrix, i))), indices.Length);
    }

    /// <summary>Measures the small pictures alone, where the encoder is not at hand.</summary>
    /// <param name="cosine">The least cosine, as it was asked for.</param>
    /// <param name="source">The images.</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <param name="read">Images of the source that <paramref name="pictures"/> are of, row by row.</param>
    /// <param name="pictures">The set's small pictures, row by row.</param>
    /// <param name="seed">Seed of the draw.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="JepaException">Too many images cannot be read.</exception>
    public static DuplicateThreshold OfPictures(
        double cosine, ImageSource source, EvaluationTransform transform, IReadOnlyList<int> read, FeatureMatrix pictures, ulong seed = 0,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(read);
        var rows = Drawn(read.Count, seed);
        using var copies = new AlteredCopies(source, [.. rows.Select(row => read[row])]);
        var made = FrozenFeatures.Extract([new PictureSignature()], copies, transform, cancellation: cancellation)[0];
        var correlations = made.Indices.Select((copy, i) => PictureSignature.Correlation(pictures, rows[copy], made.Matrix, i));
        return new DuplicateThreshold(cosine, Reached(correlations), made.Indices.Length);
    }

    private static int[] Drawn(int images, ulong seed)
    {
        var order = Enumerable.Range(0, images).ToArray();
        new RandomStream(seed, RandomPurpose.Evaluation).Shuffle(order.AsSpan());
        return order[..Math.Min(Most, order.Length)];
    }

    private static double Reached(IEnumerable<double> values)
    {
        double[] ordered = [.. values.Order()];
        return ordered[(int)(Missed * ordered.Length)];
    }
}
