using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Neighbours;

/// <summary>How far an image is from all others.</summary>
/// <param name="Row">Its row among the vectors.</param>
/// <param name="Distance">Mean of 1 - cosine over its nearest others: 0 for one of many equal images, up to 2.</param>
/// <param name="Nearest">The row of the nearest of them.</param>
public sealed record Outlier(int Row, double Distance, int Nearest);

/// <summary>Orders images by how far they are from their nearest others.</summary>
/// <remarks>The k-nearest-neighbour distance of Ramaswamy, Rastogi and Shim (SIGMOD 2000), averaged over the k (Angiulli and Pizzuti, PKDD
/// 2002).</remarks>
public static class Outliers
{
    /// <summary>All images, the furthest first; of equals the first row.</summary>
    /// <param name="search">Over the set, of at least two images.</param>
    /// <param name="neighbours">k, at least 1.</param>
    /// <param name="progress">Is told how many images are done.</param>
    /// <param name="cancellation">Stops between blocks.</param>
    /// <exception cref="JepaException">There is one image alone.</exception>
    public static IReadOnlyList<Outlier> Rank(
        NeighbourSearch search, int neighbours = 10, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(search);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(neighbours);
        if (search.Set.Rows < 2) throw new JepaException("There is one image alone: nothing to be far from. Expected at least 2.", isUsage: true);
        var found = search.NearestOfEach(neighbours, progress, cancellation);
        return [.. Enumerable.Range(0, search.Set.Rows).Select(row => Of(found, row)).OrderByDescending(o => o.Distance).ThenBy(o => o.Row)];
    }

    private static Outlier Of(NeighbourLists found, int row)
    {
        var (from, sum, count) = (row * found.Count, 0.0, 0);
        for (var place = from; place < from + found.Count && found.Rows[place] >= 0; place++, count++) sum += 1 - found.Cosines[place];
        return new Outlier(row, count == 0 ? 2 : Math.Max(0, sum / count), found.Rows[from]);
    }
}
