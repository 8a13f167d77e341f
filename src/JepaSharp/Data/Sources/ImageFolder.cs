using JepaSharp.Data.Decoding;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>The image files below a folder, to any depth, in ordinal order of their relative paths: the same on every machine.</summary>
/// <remarks>
/// Where every image lies in a sub folder, the names of the first-level sub folders are the classes, in ordinal order. Files are chosen by their
/// extension and recognised by their content. Hidden files and folders are passed over; links are followed, but no folder is entered twice.
/// </remarks>
public sealed class ImageFolder : ImageSource
{
    // What the parts of a set are commonly called.
    private static readonly string[] Parts = ["train", "training", "test", "testing", "val", "valid", "validation", "dev"];

    private readonly string _root;
    private readonly string[] _names;
    private readonly string[] _classes;
    private readonly int[] _labels;
    private readonly DecodingLimits _limits;

    /// <summary>Lists a folder.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="limits">What to refuse by an image's header.</param>
    /// <exception cref="JepaException">There is no such folder, or it holds no image.</exception>
    public ImageFolder(string path, DecodingLimits? limits = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        _limits = limits ?? DecodingLimits.Default;
        _root = Path.GetFullPath(path);
        if (File.Exists(_root)) throw new JepaException($"{path} is a file. A folder of images is expected: give the folder it lies in.", isUsage: true);
        if (!Directory.Exists(_root)) throw new JepaException($"{path} does not exist. A folder of images is expected: check the path.", isUsage: true);
        List<string> files;
        try
        {
            files = FolderWalk.Files(_root);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new JepaException($"{path} cannot be listed: {e.Message} Check that it can be read.", isUsage: true, e);
        }

        _names = [.. files.Where(IsImage)];
        if (_names.Length == 0) throw new JepaException(WhyNone(path, files), isUsage: true);
        _classes = _names.All(n => n.Contains('/', StringComparison.Ordinal))
            ? [.. _names.Select(FirstFolder).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)]
            : [];
        _labels = _classes.Length == 0 ? [] : Array.ConvertAll(_names, n => Array.BinarySearch(_classes, FirstFolder(n), StringComparer.Ordinal));
    }

    /// <inheritdoc/>
    public override int Count => _names.Length;

    /// <inheritdoc/>
    public override string Description => _root;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => _classes;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Notices => _classes.Count(c => Parts.Contains(c.ToLowerInvariant())) < 2 ? [] :
    [
        $"the folders {string.Join(", ", _classes)} are taken for classes but called like the parts of a set: give one of them, such as {Path.Combine(_root, _classes.First(c => Parts.Contains(c.ToLowerInvariant())))}.",
    ];

    /// <inheritdoc/>
    public override string NameOf(int index) => _names[index];

    /// <inheritdoc/>
    public override int? LabelOf(int index) => _labels.Length == 0 ? null : _labels[index];

    /// <inheritdoc/>
    public override long StoredBytes(int index) => RegularFile.LengthOf(Path.Combine(_root, _names[index]));

    /// <inheritdoc/>
    public override OpenedImage Open(int index) => ImageDecoder.Open(Path.Combine(_root, _names[index]), _names[index], _limits);

    private static string FirstFolder(string name) => name[..name.IndexOf('/', StringComparison.Ordinal)];

    private static string Extension(string name) => Path.GetExtension(name).TrimStart('.').ToLowerInvariant();

    private static bool IsImage(string name) => ImageFileFormat.Extensions.Contains(Extension(name));

    private static string WhyNone(string path, List<string> files)
    {
        var supported = $"Images are files ending in {string.Join(", ", ImageFileFormat.Extensions.Select(e => "." + e))}.";
        if (files.Count == 0) return $"{path} is empty. {supported}";
        const int shown = 8;
        var seen = files.CountBy(Extension).OrderByDescending(e => e.Value).ThenBy(e => e.Key, StringComparer.Ordinal).ToArray();
        var kinds = string.Join(", ", seen.Take(shown).Select(e => $"{e.Value:N0} {(e.Key.Length == 0 ? "without extension" : "." + e.Key)}"));
        return $"{path} holds {files.Count:N0} files but no image: {kinds}{(seen.Length > shown ? " and others" : "")}. {supported}";
    }
}
