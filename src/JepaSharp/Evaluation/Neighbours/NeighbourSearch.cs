using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Neighbours;

/// <summary>The nearest images of several, the nearest first.</summary>
/// <param name="Count">k, neighbours of each.</param>
/// <param name="Rows">[m, k] row-major: rows of the set; -1 where an index found fewer.</param>
/// <param name="Cosines">[m, k], falling in each row.</param>
public sealed record NeighbourLists(int Count, int[] Rows, float[] Cosines);

/// <summary>Finds the images of a set that are nearest to given ones, by cosine.</summary>
public abstract class NeighbourSearch : IDisposable
{
    /// <summary>Images up to which every pair is compared where nothing else is said; beyond that an index is asked, which may miss some.</summary>
    public const int MostCompared = 100_000;

    private protected NeighbourSearch(UnitVectors set) => Set = set;

    /// <summary>How it finds, in words that can follow "neighbours: ".</summary>
    public abstract string Words { get; }

    /// <summary>The set that is searched.</summary>
    public UnitVectors Set { get; }

    /// <summary>Over a set: exact up to so many images, else by an index, of which some of the images are asked exactly too, to say what it
    /// misses.</summary>
    /// <param name="set">The set.</param>
    /// <param name="progress">Is told how many images are in the index, where one is made.</param>
    /// <param name="mostCompared">Images up to which every pair is compared.</param>
    /// <param name="cancellation">Stops the making of an index.</param>
    /// <exception cref="JepaException">An index is needed, and its library does not load here.</exception>
    public static NeighbourSearch Over(
        UnitVectors set, IProgress<int>? progress = null, int mostCompared = MostCompared, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(set);
        return set.Rows <= mostCompared ? new ComparedNeighbours(set) : IndexedNeighbours.Of(set, progress, cancellation: cancellation);
    }

    /// <summary>The nearest to each of some images.</summary>
    /// <param name="queries">[m, D], by the set's mean (<see cref="UnitVectors.Like"/>).</param>
    /// <param name="count">k; the set's size, where it is smaller.</param>
    /// <param name="progress">Is told how many queries are done.</param>
    /// <param name="cancellation">Stops between blocks.</param>
    public abstract NeighbourLists Nearest(UnitVectors queries, int count, IProgress<int>? progress = null, CancellationToken cancellation = default);

    /// <summary>The nearest others of each image of the set itself.</summary>
    /// <param name="count">k; one less than the set's size, where that is smaller.</param>
    /// <param name="progress">Is told how many images are done.</param>
    /// <param name="cancellation">Stops between blocks.</param>
    public NeighbourLists NearestOfEach(int count, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        var others = Math.Min(count, Set.Rows - 1);
        var found = Nearest(Set, others + 1, progress, cancellation);
        var (rows, cosines) = (new int[Set.Rows * others], new float[Set.Rows * others]);
        for (var image = 0; image < Set.Rows; image++)
        {
            // Of images that are all alike, others may stand before the image itself, or it may not be among them at all.
            for (int place = 0, from = image * found.Count; place < others; from++)
            {
                if (found.Rows[from] == image) continue;
                (rows[(image * others) + place], cosines[(image * others) + place]) = (found.Rows[from], found.Cosines[from]);
                place++;
            }
        }

        return new NeighbourLists(others, rows, cosines);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees an index.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>Compares with every image, block after block of matrix products.</summary>
internal sealed class ComparedNeighbours(UnitVectors set) : NeighbourSearch(set)
{
    private const int LargestBlock = 1 << 23; // cosines at a time: 32 MiB
    private const double Rounding = 2e-6;

    /// <inheritdoc/>
    public override string Words => "every pair compared";

    /// <inheritdoc/>
    public override NeighbourLists Nearest(UnitVectors queries, int count, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        var most = Math.Min(count, Set.Rows);
        var (rows, cosines) = (new int[queries.Rows * most], new float[queries.Rows * most]);
        Blocks(queries, (first, block) =>
        {
            var (_, at) = block.topk(most, 1);
            at.to(ScalarType.Int32).contiguous().data<int>().CopyTo(rows.AsSpan(first * most));
            for (var query = first; query < first + (int)block.shape[0]; query++)
                InOrder(queries, query, rows.AsSpan(query * most, most), cosines.AsSpan(query * most, most));
        }, progress, cancellation);
        return new NeighbourLists(most, rows, cosines);
    }

    /// <summary>Cosines anew, in double precision: the last digit of libtorch's product depends on where in memory the numbers lie.</summary>
    private void InOrder(UnitVectors queries, int query, Span<int> rows, Span<float> cosines)
    {
        (float Cosine, int Row)[] found = new (float, int)[rows.Length];
        for (var place = 0; place < rows.Length; place++) found[place] = ((float)queries.Cosine(query, Set, rows[place]), rows[place]);
        Array.Sort(found, static (a, b) => b.Cosine.CompareTo(a.Cosine) is var order and not 0 ? order : a.Row.CompareTo(b.Row));
        for (var place = 0; place < rows.Length; place++) (cosines[place], rows[place]) = found[place];
    }

    /// <summary>Every pair of different images of the set at or above a cosine, the first the lower row.</summary>
    /// <param name="threshold">The least cosine.</param>
    /// <param name="mostPairs">Pairs above which there are too many.</param>
    /// <param name="progress">Is told how many images are done.</param>
    /// <param name="cancellation">Stops between blocks.</param>
    /// <returns>null where there are more.</returns>
    public List<(int First, int Second, float Cosine)>? PairsAbove(
        double threshold, int mostPairs, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        var pairs = new List<(int, int, float)>();
        var tooMany = false;
        // A product of float32 may be a little below 1 where it is of a vector with itself.
        using var least = ((float)(threshold - Rounding)).ToScalar();
        Blocks(Set, (first, block) =>
        {
            if (tooMany) return;
            var places = block.ge(least).nonzero();
            if (pairs.Count + (places.shape[0] / 2) > mostPairs + Set.Rows)
            {
                tooMany = true;
                return;
            }

            var at = places.contiguous().data<long>().ToArray();
            for (var i = 0; i < at.Length; i += 2)
            {
                var (row, other) = (first + (int)at[i], (int)at[i + 1]);
                if (other > row) pairs.Add((row, other, (float)Set.Cosine(row, Set, other)));
            }
        }, progress, cancellation);
        return tooMany || pairs.Count > mostPairs ? null : pairs;
    }

    private void Blocks(UnitVectors queries, Action<int, Tensor> take, IProgress<int>? progress, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var all = Set.ToTensor(0, Set.Rows).t();
        var block = Math.Clamp(LargestBlock / Set.Rows, 1, 4096);
        for (var first = 0; first < queries.Rows; first += block)
        {
            cancellation.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var count = Math.Min(block, queries.Rows - first);
            take(first, queries.ToTensor(first, count).mm(all));
            progress?.Report(first + count);
        }
    }
}
