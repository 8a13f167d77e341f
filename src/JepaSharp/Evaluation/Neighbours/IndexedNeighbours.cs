using Cloud.Unum.USearch;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Neighbours;

/// <summary>Asks an index, a graph in which neighbours are linked: for sets of which not every pair can be compared.</summary>
/// <remarks>Hierarchical navigable small worlds (Malkov and Yashunin, 2018), by the library USearch. Some neighbours are missed; how many is measured
/// each time (<see cref="IndexRecall"/>).</remarks>
internal sealed class IndexedNeighbours : NeighbourSearch
{
    private const ulong Links = 16, WidthOfAdding = 128, WidthOfSearch = 128;
    private const int ReportEvery = 1000;

    private readonly USearchIndex _index;

    private IndexedNeighbours(UnitVectors set, USearchIndex index)
        : base(set) => _index = index;

    /// <inheritdoc/>
    public override string Words => $"by an index (USearch), which {Recall.Words}";

    /// <summary>What it finds of the true neighbours.</summary>
    public IndexRecall Recall => field ??= IndexRecall.Of(this);

    /// <summary>Makes the index.</summary>
    /// <param name="set">The set.</param>
    /// <param name="progress">Is told how many images are in it.</param>
    /// <param name="links">Links of an image: of fewer, more neighbours are missed.</param>
    /// <param name="width">Images that are looked at on the way to the nearest.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="JepaException">The library does not load here.</exception>
    public static IndexedNeighbours Of(
        UnitVectors set, IProgress<int>? progress = null, ulong links = Links, ulong width = WidthOfSearch, CancellationToken cancellation = default)
    {
        USearchIndex index;
        try
        {
            index = new USearchIndex(MetricKind.Ip, ScalarKind.Float32, (ulong)set.Width, links, WidthOfAdding, width);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or TypeInitializationException)
        {
            throw new JepaException(
                $"Neighbours among {set.Rows:n0} images need the index of USearch, which does not load here ({e.Message.Split('\n')[0].TrimEnd('.')})"
                    + $". Have every pair compared, which takes long: --exact-up-to {set.Rows}.", inner: e);
        }

        try
        {
            for (var row = 0; row < set.Rows; row++)
            {
                index.Add((ulong)row, set.Row(row).ToArray());
                if (row % ReportEvery != 0) continue;
                cancellation.ThrowIfCancellationRequested();
                progress?.Report(row);
            }

            return new IndexedNeighbours(set, index);
        }
        catch
        {
            index.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override NeighbourLists Nearest(UnitVectors queries, int count, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        var most = Math.Min(count, Set.Rows);
        var (rows, cosines) = (new int[queries.Rows * most], new float[queries.Rows * most]);
        Array.Fill(rows, -1);
        Array.Fill(cosines, float.NegativeInfinity);
        for (var query = 0; query < queries.Rows; query++)
        {
            var found = _index.Search(queries.Row(query).ToArray(), most, out ulong[] keys, out float[] distances);
            for (var place = 0; place < found; place++)
                (rows[(query * most) + place], cosines[(query * most) + place]) = ((int)keys[place], 1 - distances[place]);
            if (query % ReportEvery != 0) continue;
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(query);
        }

        return new NeighbourLists(most, rows, cosines);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _index.Dispose();
        base.Dispose(disposing);
    }
}
