using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Neighbours;

/// <summary>Images in clusters, numbered from the largest.</summary>
/// <param name="Count">K; fewer than asked for where there are fewer different images.</param>
/// <param name="Labels">[n], the cluster of each image.</param>
/// <param name="Inertia">Sum over the images of the squared distance to their cluster's mean.</param>
public sealed record Clusters(int Count, int[] Labels, double Inertia);

/// <summary>k-means: Lloyd's algorithm from k-means++ (Arthur and Vassilvitskii, SODA 2007).</summary>
/// <remarks>
/// <code>
/// first centre: any image; each next: an image drawn with probability ~ squared distance to the nearest centre so far
/// until no image changes:  label(x) = argmin_c |x - m_c|²     m_c = mean of the images labelled c
/// </code>
/// </remarks>
public static class KMeans
{
    private const int Block = 8192;

    /// <summary>Finds clusters.</summary>
    /// <param name="vectors">[n, D].</param>
    /// <param name="count">K, at least 1.</param>
    /// <param name="seed">Seed of the first centres.</param>
    /// <param name="iterations">Most of Lloyd's iterations.</param>
    public static Clusters Fit(UnitVectors vectors, int count, ulong seed = 0, int iterations = 100)
    {
        ArgumentNullException.ThrowIfNull(vectors);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var centres = First(vectors, count, new RandomStream(seed, RandomPurpose.Evaluation));
        var labels = new int[vectors.Rows];
        var inertia = Assign(vectors, centres, labels);
        for (var i = 0; i < iterations; i++)
        {
            Move(vectors, centres, labels);
            var before = labels.ToArray();
            inertia = Assign(vectors, centres, labels);
            if (before.AsSpan().SequenceEqual(labels)) break;
        }

        return Ordered(labels, inertia);
    }

    private static float[][] First(UnitVectors vectors, int count, RandomStream random)
    {
        var centres = new List<float[]> { vectors.Row(random.NextInt(vectors.Rows)).ToArray() };
        var nearest = new double[vectors.Rows];
        Array.Fill(nearest, double.PositiveInfinity);
        while (centres.Count < count)
        {
            var sum = 0.0;
            for (var row = 0; row < vectors.Rows; row++)
            {
                nearest[row] = Math.Min(nearest[row], Squared(vectors.Row(row), centres[^1]));
                sum += nearest[row];
            }

            if (sum <= 1e-9) break; // no further image differs from the centres
            var (draw, chosen) = (random.NextDouble() * sum, 0);
            while (chosen < vectors.Rows - 1 && (draw -= nearest[chosen]) > 0) chosen++;
            centres.Add(vectors.Row(chosen).ToArray());
        }

        return [.. centres];
    }

    /// <summary>|x - m|² = |x|² + |m|² - 2 x m, by matrix products.</summary>
    private static double Assign(UnitVectors vectors, float[][] centres, int[] labels)
    {
        using var scope = NewDisposeScope();
        var means = tensor(centres.SelectMany(c => c).ToArray(), [centres.Length, vectors.Width]);
        var lengths = (means * means).sum([1L]);
        var inertia = 0.0;
        for (var first = 0; first < vectors.Rows; first += Block)
        {
            using var inner = NewDisposeScope();
            var rows = vectors.ToTensor(first, Math.Min(Block, vectors.Rows - first));
            var distances = lengths.Subtract(rows.mm(means.t()).Multiply(2));
            var (least, at) = distances.min(1);
            inertia += least.Add((rows * rows).sum([1L])).to(ScalarType.Float64).sum().item<double>();
            at.to(ScalarType.Int32).contiguous().data<int>().CopyTo(labels.AsSpan(first));
        }

        return Math.Max(0, inertia);
    }

    private static void Move(UnitVectors vectors, float[][] centres, int[] labels)
    {
        var sums = new double[centres.Length, vectors.Width];
        var counts = new int[centres.Length];
        for (var row = 0; row < vectors.Rows; row++)
        {
            var values = vectors.Row(row);
            var label = labels[row];
            counts[label]++;
            for (var d = 0; d < values.Length; d++) sums[label, d] += values[d];
        }

        for (var c = 0; c < centres.Length; c++)
        {
            if (counts[c] == 0) continue; // it stays, and may find images again
            for (var d = 0; d < vectors.Width; d++) centres[c][d] = (float)(sums[c, d] / counts[c]);
        }
    }

    private static Clusters Ordered(int[] labels, double inertia)
    {
        var order = labels.CountBy(label => label).OrderByDescending(c => c.Value).ThenBy(c => c.Key).Select((c, place) => (c.Key, place))
            .ToDictionary(c => c.Key, c => c.place);
        return new Clusters(order.Count, Array.ConvertAll(labels, label => order[label]), inertia);
    }

    private static double Squared(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var sum = 0.0;
        for (var d = 0; d < a.Length; d++) sum += (a[d] - b[d]) * (double)(a[d] - b[d]);
        return sum;
    }
}
