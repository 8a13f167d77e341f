using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Features;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Neighbours;

/// <summary>How alike two images must be to count as near-duplicates, measured on copies that are made for it.</summary>
/// <param name="Cosine">The threshold.</param>
/// <param name="Images">Images that were copied.</param>
/// <remarks>
/// What a cosine means differs from encoder to encoder. So up to 200 images are altered as somebody who saves them again does
/// (<see cref="AlteredCopies"/>), and the threshold is the cosine that nineteen of twenty of these copies reach with their originals.
/// </remarks>
public sealed record DuplicateThreshold(double Cosine, int Images)
{
    private const int Most = 200;
    private const double Missed = 0.05;

    /// <summary>What the copies are, in words.</summary>
    public static string Copies => AlteredCopies.Words;

    /// <summary>Measures.</summary>
    /// <param name="features">The features that are compared.</param>
    /// <param name="source">The images.</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <param name="read">Images of the source that <paramref name="vectors"/> are of, row by row.</param>
    /// <param name="vectors">The set.</param>
    /// <param name="seed">Seed of the draw.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="JepaException">Too many images cannot be read.</exception>
    public static DuplicateThreshold Measure(
        ImageFeatures features, ImageSource source, EvaluationTransform transform, IReadOnlyList<int> read, UnitVectors vectors, ulong seed = 0,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(read);
        ArgumentNullException.ThrowIfNull(vectors);
        var order = Enumerable.Range(0, read.Count).ToArray();
        new RandomStream(seed, RandomPurpose.Evaluation).Shuffle(order.AsSpan());
        var rows = order[..Math.Min(Most, order.Length)];
        using var copies = new AlteredCopies(source, [.. rows.Select(row => read[row])]);
        var made = FrozenFeatures.Extract([features], copies, transform, cancellation: cancellation)[0];
        var altered = vectors.Like(made.Matrix);
        double[] cosines = [.. Enumerable.Range(0, altered.Rows).Select(i => vectors.Cosine(rows[made.Indices[i]], altered, i)).Order()];
        return new DuplicateThreshold(cosines[(int)(Missed * cosines.Length)], cosines.Length);
    }
}
