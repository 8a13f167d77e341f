using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Shards;

namespace JepaSharp.Evaluation.Features;

/// <summary>SHA-256 over what tells a collection of images from every other: the images' names in order, and length and time of the files they lie
/// in.</summary>
/// <remarks>
/// The files are not read, as of a large collection that would take as long as its features. Whoever changes an image without changing the length or
/// the time of its file has to switch the cache off.
/// </remarks>
public static class DataFingerprint
{
    /// <summary>The fingerprint of a collection.</summary>
    /// <param name="address">As the user gave it: a path, perhaps with options after '#'.</param>
    /// <param name="source">What was opened there.</param>
    public static string Of(string address, ImageSource source)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));

        Add(source.Description);
        var parsed = SourceAddress.Parse(address);
        var path = parsed.Path;
        var isFolder = Directory.Exists(path);
        if (isFolder)
        {
            // Where images lie together in large files, those are here, or, of Hugging Face, in the folder data.
            foreach (var folder in ((string[])[path, Path.Combine(path, "data")]).Where(Directory.Exists))
                foreach (var file in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)) Add(Stamp(file));
        }
        else
        {
            foreach (var file in ShardPattern.IsOne(path) && !File.Exists(path) ? ShardPattern.Expand(path) : [path]) Add(Stamp(file));
        }

        // Where images are files of their own, their names lead to them.
        var root = isFolder ? path : parsed.Images ?? Path.GetDirectoryName(Path.GetFullPath(path)) ?? "";
        for (var i = 0; i < source.Count; i++)
        {
            var name = source.NameOf(i);
            Add(string.Create(CultureInfo.InvariantCulture, $"{name} {source.StoredBytes(i)}"));
            if (Path.IsPathRooted(name) || name.Contains('/', StringComparison.Ordinal) || !isFolder) Add(Stamp(Path.Combine(root, name)));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Stamp(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? string.Create(CultureInfo.InvariantCulture, $"{path} {file.Length} {file.LastWriteTimeUtc.Ticks}") : path;
    }
}
