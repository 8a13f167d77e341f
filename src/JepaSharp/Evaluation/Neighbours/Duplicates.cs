using System.Globalization;
using System.Security.Cryptography;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Neighbours;

/// <summary>One image of a group of near-duplicates.</summary>
/// <param name="Row">Its row among the vectors.</param>
/// <param name="Cosine">With the one to keep; 1 for that one itself.</param>
/// <param name="Correlation">Of their small pictures; 1 for that one itself; NaN for all where pictures were not compared.</param>
/// <param name="IsExact">Whether its pixels are those of the one to keep, or of another before it in the group.</param>
/// <param name="Pixels">The first 12 digits of a SHA-256 over its size and pixels: equal digits mean equal pictures; null where it can no longer be
/// read.</param>
/// <param name="Width">W in pixels.</param>
/// <param name="Height">H in pixels.</param>
/// <param name="Bytes">Of its file; 0 where that is not known.</param>
public sealed record DuplicateImage(
    int Row, double Cosine, double Correlation, bool IsExact, string? Pixels, int Width, int Height, long Bytes);

/// <summary>Images that are alike: the one to keep first, then those that could go, the most alike first.</summary>
/// <param name="Images">At least two.</param>
public sealed record DuplicateGroup(IReadOnlyList<DuplicateImage> Images)
{
    /// <summary>How many could go.</summary>
    public int Spare => Images.Count - 1;
}

/// <summary>Groups images that are alike, both to an encoder and as small pictures.</summary>
/// <remarks>
/// Of each group one is kept: that of the most pixels, of equals that of the largest file, of equals the first by name. Every other one is like the
/// kept one itself, not only like a third.
/// </remarks>
public static class Duplicates
{
    private const int MostPairs = 5_000_000, NeighboursOfIndex = 50;

    /// <summary>Finds the groups, the largest first.</summary>
    /// <param name="search">Over the set.</param>
    /// <param name="source">The images.</param>
    /// <param name="read">Images of the source, row by row of the set.</param>
    /// <param name="pictures">Their small pictures (<see cref="PictureSignature"/>), row by row of the set; null to let the encoder
    /// alone decide.</param>
    /// <param name="threshold">How alike they must be.</param>
    /// <param name="progress">Is told how many images have been compared.</param>
    /// <param name="cancellation">Stops between blocks.</param>
    /// <exception cref="JepaException">So many pairs are above the threshold that it tells nothing apart.</exception>
    public static IReadOnlyList<DuplicateGroup> Find(
        NeighbourSearch search, ImageSource source, IReadOnlyList<int> read, FeatureMatrix? pictures, DuplicateThreshold threshold,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(search);
        ArgumentNullException.ThrowIfNull(threshold);
        ArgumentNullException.ThrowIfNull(read);
        ArgumentNullException.ThrowIfNull(source);
        var alike = Alike(search, pictures, threshold, progress, cancellation);
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

        return [.. groups.OrderByDescending(group => group.Images.Count).ThenBy(
            group => source.NameOf(read[group.Images[0].Row]), StringComparer.Ordinal)];
    }

    private static Dictionary<int, List<Pair>> Alike(
        NeighbourSearch search, FeatureMatrix? pictures, DuplicateThreshold threshold, IProgress<int>? progress, CancellationToken cancellation)
    {
        var pairs = search is ComparedNeighbours compared
            ? compared.PairsAbove(threshold.Cosine, MostPairs, progress, cancellation)
            : [.. Listed(search.NearestOfEach(NeighboursOfIndex, progress, cancellation), threshold.Cosine)];
        if (pairs is null)
            throw new JepaException(
                string.Create(CultureInfo.InvariantCulture,
                    $"More than {MostPairs:n0} pairs of the {search.Set.Rows:n0} images have a cosine of at least {threshold.Cosine:0.####}: that ")
                    + "tells nothing apart. Give a higher --threshold, up to 1, or a better trained encoder.", isUsage: true);
        var alike = new Dictionary<int, List<Pair>>();
        foreach (var (first, second, cosine) in pairs)
        {
            var correlation = pictures is null ? double.NaN : PictureSignature.Correlation(pictures, first, pictures, second);
            if (correlation < threshold.Correlation - 1e-6) continue;
            Of(first).Add(new Pair(second, cosine, correlation));
            Of(second).Add(new Pair(first, cosine, correlation));
        }

        return alike;

        List<Pair> Of(int row) => alike.TryGetValue(row, out var list) ? list : alike[row] = [];
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
        ImageSource source, IReadOnlyList<int> read, Dictionary<int, FileFacts> files, int kept, List<Pair> rest, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var ordered = rest.OrderByDescending(pair => pair.Cosine).ThenBy(pair => files[pair.Other].Name, StringComparer.Ordinal);
        return new DuplicateGroup([.. ordered.Prepend(new Pair(kept, 1, double.IsNaN(rest[0].Correlation) ? double.NaN : 1)).Select(pair =>
        {
            var (facts, pixels) = (files[pair.Other], PixelsOf(source, read[pair.Other]));
            return new DuplicateImage(
                pair.Other, Math.Min(pair.Cosine, 1), Math.Min(pair.Correlation, 1), pixels is not null && !seen.Add(pixels), pixels, facts.Width,
                facts.Height, facts.Bytes);
        })]);
    }

    /// <summary>A SHA-256 over size and decoded pixels, cut short; null where the image cannot be read.</summary>
    private static string? PixelsOf(ImageSource source, int index)
    {
        try
        {
            using var image = source.OpenWithinBound(index);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(BitConverter.GetBytes(((long)image.Width << 32) | (uint)image.Height));
            hash.AppendData(new CropSampler().Whole(image).Pixels);
            return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 6));
        }
        catch (ImageUnreadableException)
        {
            return null;
        }
    }

    private readonly record struct Pair(int Other, float Cosine, double Correlation);

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
