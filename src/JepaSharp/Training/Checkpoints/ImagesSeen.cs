using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Training.Checkpoints;

/// <summary>What tells the images of a run from others, wherever they lie: their names, and what some of them hold.</summary>
/// <remarks>
/// All images are looked into where there are few, else eight times eight neighbours (which share a row group where there are such). Times and places
/// do not count: a copy on another disk is the same images.
/// </remarks>
/// <param name="Names">SHA-256 of the names in order, cut short; of a whole path only the last part, since a copy has another.</param>
/// <param name="Contents">CRC-32C of the images looked into, as they are stored, separated by spaces; "-" for one that cannot be read.</param>
internal sealed record ImagesSeen(string Names, string Contents)
{
    private const int Runs = 8, RunLength = 8;
    private const string Unread = "-";

    /// <summary>Looks at a source.</summary>
    public static ImagesSeen Of(ImageSource source)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < source.Count; i++)
        {
            var name = source.NameOf(i);
            hash.AppendData(Encoding.UTF8.GetBytes((Path.IsPathRooted(name) ? Path.GetFileName(name) : name) + "\n"));
        }

        var names = Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 12));
        return new ImagesSeen(names, string.Join(' ', LookedInto(source.Count).Select(i => ChecksumOf(source, i))));
    }

    /// <summary>How other images differ from these: a clause, or null where they are the same.</summary>
    /// <param name="now">What the images are now, as many as there were.</param>
    /// <param name="source">Those images.</param>
    public string? DifferenceTo(ImagesSeen now, ImageSource source)
    {
        var (before, after) = (Contents.Split(' '), now.Contents.Split(' '));
        int[] looked = [.. LookedInto(source.Count)];
        if (before.Length != looked.Length || after.Length != looked.Length) return "they are not of the same number";
        int[] other = [.. Enumerable.Range(0, looked.Length).Where(i => before[i] != after[i] && before[i] != Unread && after[i] != Unread)];
        var contents = string.Create(CultureInfo.InvariantCulture, $"{other.Length:n0} of {looked.Length:n0} looked into hold something else");
        if (Names != now.Names) return other.Length > 0 ? $"they have other names, and {contents}" : "they have other names";
        return other.Length > 0 ? $"{contents}, the first {source.NameOf(looked[other[0]])}" : null;
    }

    private static IEnumerable<int> LookedInto(int count) => count <= Runs * RunLength
        ? Enumerable.Range(0, count)
        : Enumerable.Range(0, Runs).SelectMany(run => Enumerable.Range((int)((long)(count - RunLength) * run / (Runs - 1)), RunLength));

    private static string ChecksumOf(ImageSource source, int index)
    {
        try
        {
            using var image = source.Open(index);
            return image.ContentChecksum().ToString("x8", CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is ImageUnreadableException or JepaException or IOException)
        {
            return Unread;
        }
    }
}
