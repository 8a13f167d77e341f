using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Loading;

/// <summary>Mean and deviation of the channels of a collection's images, for normalising them by their own.</summary>
/// <param name="Mean">[3] red, green, blue; in [0, 1].</param>
/// <param name="Deviation">[3], over all pixels of all images looked at; in [0, 0.5].</param>
/// <param name="Images">How many were looked at.</param>
public sealed record PixelStatistics(IReadOnlyList<double> Mean, IReadOnlyList<double> Deviation, int Images)
{
    private const int Channels = 3;

    /// <summary>Looks at up to <paramref name="sample"/> images, evenly spaced and always the same ones, each squashed to a square.</summary>
    /// <param name="source">The images.</param>
    /// <param name="side">Side of the squares in pixels: a reduced image has less contrast, so the size that training sees.</param>
    /// <param name="sample">Most images to look at.</param>
    /// <param name="stop">Stops between images.</param>
    /// <returns>Null where none of those looked at can be read.</returns>
    /// <exception cref="JepaException">None of the collection can be read.</exception>
    public static PixelStatistics? Of(ImageSource source, int side, int sample = 256, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sample);
        var count = Math.Min(sample, source.Count);
        var chosen = Enumerable.Range(0, count).Select(i => (int)(((2L * i) + 1) * source.Count / (2L * count))).ToArray();
        var reader = new ImageReader(source, EvaluationTransform.Squash(side), batchSize: Math.Min(count, 32), maxUnreadableShare: 1);
        var (sums, squares, pixels, images) = (new long[Channels], new long[Channels], 0L, 0);
        foreach (var batch in reader.Read(chosen, stop))
        {
            var bytes = batch.Pixels.AsSpan(0, batch.Count * batch.Height * batch.Width * Channels);
            for (var i = 0; i < bytes.Length; i++)
            {
                int value = bytes[i];
                sums[i % Channels] += value;
                squares[i % Channels] += value * value;
            }

            pixels += bytes.Length / Channels;
            images += batch.Count;
        }

        if (images == 0) return null;
        var scale = (double)pixels * byte.MaxValue;
        // n Σx² - (Σx)² in whole numbers: exactly 0 of one colour, and no order of summing matters.
        return new PixelStatistics(
            [.. sums.Select(s => s / scale)],
            [.. sums.Zip(squares, (s, square) => Math.Sqrt((double)(((Int128)pixels * square) - ((Int128)s * s))) / scale)],
            images);
    }
}
