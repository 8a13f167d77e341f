using System.Security.Cryptography;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Neighbours;

/// <summary>One image of a group of near-duplicates.</summary>
/// <param name="Row">Its row among the vectors.</param>
/// <param name="Cosine">With the one to keep; 1 for that one itself.</param>
/// <param name="IsExact">Whether its pixels are those of the one to keep.</param>
/// <param name="Width">W in pixels.</param>
/// <param name="Height">H in pixels.</param>
/// <param name="Bytes">Of its file; 0 where that is not known.</param>
public sealed record DuplicateImage(int Row, double Cosine, bool IsExact, int Width, int Height, long Bytes);

/// <summary>Images that are alike: the one to keep first, then those that could go, the most alike first.</summary>
/// <param name="Images">At least two.</param>
public sealed record DuplicateGroup(IReadOnlyList<DuplicateImage> Images)
{
    /// <summary>How many could go.</summary>
    public int Spare => Images.Count - 1;
}

/// <summary>Groups images that are alike above a threshold.</summary>
/// <remarks>
/// Of each group one is kept: that of the most pixels, of equals that of the largest file, of equals the first by name. Every other one is above the
/// threshold with the kept one itself, not only by way of a third.
/// </remarks>
public static class Duplicates
{
    private const int MostPairs = 5_000_000, NeighboursOfIndex = 50;

    /// <summary>Finds the groups, the largest first.</summary>
    /// <param name="search">Over the set.</param>
    /// <param name="source">The images.</param>
    /// <param name="read">Images of the source, row by row of the set.</param>
    /// <param name="threshold">The least cosine.</param>
    /// <param name="progress">Is told how many images have been compared.</param>
    /// <param name="cancellation">Stops between blocks.</param>
    /// <exception cref="JepaException">So many pairs are above the threshold that it tells nothing apart.</exception>
    public static IReadOnlyList<DuplicateGroup> Find(
        NeighbourSearch search, ImageSource source, IReadOnlyList<int> read, double threshold, IProgress<int>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(search);
        ArgumentNullException.ThrowIfNull(read);
        ArgumentNullException.ThrowIfNull(source);
        var alike = Alike(search, threshold, progress, cancellation);
        var files = new Dictionary<int, FileFacts>();
        foreach (var row in alike.Keys) files[row] = FileFacts.Of(source, read[row]);
        var order = alike.Keys.Order(Comparer<int>.Create((a, b) => FileFacts.Compare(files[a], files[b])));
        var (groups, taken) = (new List<DuplicateGroup>(), new HashSet<int>());
        foreach (var kept in order)
        {
            if (!taken.Add(kept)) continue;
            var rest = alike[kept].Where(pair => taken.Add(pair.Other)).ToList();
            if (rest.Count > 0) groups.Add(Group(source, read, files, kept, rest, cancellation));
        }

        return [.. groups.OrderByDescending(group => group.Images.Count).ThenBy(group => source.NameOf(read[group.Images[0].Row]), StringComparer.Ordinal)];
    }

    private static Dictionary<int, List<(int Other, float Cosine)>> Alike(
        NeighbourSearch search, double threshold, IProgress<int>? progress, CancellationToken cancellation)
    {
        var alike = new Dictionary<int, List<(int, float)>>();
        var pairs = search is ComparedNeighbours compared
            ? compared.PairsAbove(threshold, MostPairs, progress, cancellation)
            : [.. Listed(search.NearestOfEach(NeighboursOfIndex, progress, cancellation), threshold)];
        if (pairs is null)
            throw new JepaException(
                FormattableString.Invariant(
                    $"More than {MostPairs:n0} pairs of the {search.Set.Rows:n0} images are at least {threshold:0.####} alike: that tells nothing apart. Give ")
                    + "a higher --threshold, up to 1, or a better trained encoder.", isUsage: true);
        foreach (var (first, second, cosine) in pairs)
        {
            Of(first).Add((second, cosine));
            Of(second).Add((first, cosine));
        }

        return alike;

        List<(int, float)> Of(int row) => alike.TryGetValue(row, out var list) ? list : alike[row] = [];
    }

    private static IEnumerable<(int First, int Second, float Cosine)> Listed(NeighbourLists lists, double threshold)
    {
        var seen = new HashSet<(int, int)>();
        for (var at = 0; at < lists.Rows.Length; at++)
        {
            var (row, other) = (at / lists.Count, lists.Rows[at]);
            if (other >= 0 && lists.Cosines[at] >= threshold && seen.Add((Math.Min(row, other), Math.Max(row, other))))
                yield return (Math.Min(row, other), Math.Max(row, other), lists.Cosines[at]);
        }
    }

    private static DuplicateGroup Group(
        ImageSource source, IReadOnlyList<int> read, Dictionary<int, FileFacts> files, int kept, List<(int Other, float Cosine)> rest,
        CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var facts = files[kept];
        byte[]? pixels = null;
        var images = rest.OrderByDescending(pair => pair.Cosine).ThenBy(pair => files[pair.Other].Name, StringComparer.Ordinal).Select(pair =>
        {
            var other = files[pair.Other];
            // Equal pixels have equal features: only those can be equal, and have to be decoded.
            var mayBeEqual = (other.Width, other.Height) == (facts.Width, facts.Height) && pair.Cosine > 0.9999;
            var isExact = mayBeEqual && (pixels ??= PixelsOf(source, read[kept])) is { } known && PixelsOf(source, read[pair.Other]) is { } found
                && known.AsSpan().SequenceEqual(found);
            return new DuplicateImage(pair.Other, Math.Min(pair.Cosine, 1), isExact, other.Width, other.Height, other.Bytes);
        }).ToList();
        return new DuplicateGroup([new DuplicateImage(kept, 1, true, facts.Width, facts.Height, facts.Bytes), .. images]);
    }

    /// <summary>SHA-256 over the decoded pixels; null where the image cannot be read.</summary>
    private static byte[]? PixelsOf(ImageSource source, int index)
    {
        try
        {
            using var image = source.OpenWithinBound(index);
            return SHA256.HashData(new CropSampler().Whole(image).Pixels);
        }
        catch (ImageUnreadableException)
        {
            return null;
        }
    }

    private sealed record FileFacts(string Name, int Width, int Height, long Bytes)
    {
        public static FileFacts Of(ImageSource source, int index)
        {
            var (name, bytes) = (source.NameOf(index), source.StoredBytes(index));
            try
            {
                using var image = source.OpenWithinBound(index);
                return new FileFacts(name, image.Width, image.Height, bytes);
            }
            catch (ImageUnreadableException)
            {
                return new FileFacts(name, 0, 0, bytes); // it has gone since its features were made
            }
        }

        /// <summary>The one to keep first.</summary>
        public static int Compare(FileFacts a, FileFacts b)
        {
            var pixels = ((long)b.Width * b.Height).CompareTo((long)a.Width * a.Height);
            if (pixels != 0) return pixels;
            var bytes = b.Bytes.CompareTo(a.Bytes);
            return bytes != 0 ? bytes : string.CompareOrdinal(a.Name, b.Name);
        }
    }
}
