using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Neighbours;

/// <summary>How many of the true neighbours an index finds, measured on some of its images.</summary>
/// <param name="Share">Of the ten nearest of each, the share that was found, 0 to 1; of images just as near, any counts.</param>
/// <param name="Images">Images that were asked, spread evenly over the set.</param>
internal sealed record IndexRecall(double Share, int Images)
{
    private const int Count = 10, Most = 100;
    private const double Rounding = 1e-5;

    /// <summary>The end of a sentence that begins with the index.</summary>
    public string Words => string.Create(
        CultureInfo.InvariantCulture, $"found {100 * Share:F1}% of the true ten nearest of {Quantity.Of(Images, "image")} that were checked");

    /// <summary>Asks the index, and compares with every image.</summary>
    public static IndexRecall Of(IndexedNeighbours index)
    {
        var set = index.Set;
        var (asked, count) = (Math.Min(Most, set.Rows), Math.Min(Count, set.Rows - 1));
        if (count == 0) return new IndexRecall(1, asked);
        int[] rows = [.. Enumerable.Range(0, asked).Select(i => (int)((long)i * set.Rows / asked))];
        var found = index.Nearest(set.Select(rows), count + 1);
        var right = 0;
        for (var query = 0; query < asked; query++)
        {
            var least = Least(set, rows[query], count) - Rounding;
            right += Enumerable.Range(query * found.Count, found.Count).Where(at => found.Rows[at] >= 0 && found.Rows[at] != rows[query])
                .Take(count).Count(at => found.Cosines[at] >= least);
        }

        return new IndexRecall(right / ((double)asked * count), asked);
    }

    /// <summary>The cosine of an image's true k-th nearest other.</summary>
    private static float Least(UnitVectors set, int row, int count)
    {
        var nearest = new PriorityQueue<int, float>(count + 1);
        for (var other = 0; other < set.Rows; other++)
        {
            if (other == row) continue;
            var cosine = Product(set.Row(row), set.Row(other));
            if (nearest.Count == count && nearest.TryPeek(out _, out var last) && cosine <= last) continue;
            nearest.Enqueue(other, cosine);
            if (nearest.Count > count) nearest.Dequeue();
        }

        return nearest.TryPeek(out _, out var least) ? least : 1;
    }

    private static float Product(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var wideA = MemoryMarshal.Cast<float, Vector<float>>(a);
        var wideB = MemoryMarshal.Cast<float, Vector<float>>(b);
        var sums = Vector<float>.Zero;
        for (var i = 0; i < wideA.Length; i++) sums += wideA[i] * wideB[i];
        var sum = Vector.Sum(sums);
        for (var d = wideA.Length * Vector<float>.Count; d < a.Length; d++) sum += a[d] * b[d];
        return sum;
    }
}
