using JepaSharp.Data.Decoding;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Binary;

/// <summary>Grey images in the IDX format of MNIST and Fashion-MNIST, gzip or not, with the labels file that lies beside them. Kept in
/// memory.</summary>
/// <remarks><c>train-images-idx3-ubyte[.gz]</c> with <c>train-labels-idx1-ubyte[.gz]</c>, and <c>t10k-</c> for test; a dot before idx is accepted
/// too.</remarks>
public sealed class IdxImages : ImageSource
{
    private const string Images = "images", Labels = "labels";

    private readonly string _path;
    private readonly IdxFile _images;
    private readonly int _height, _width;
    private readonly ClassLabels _labels = ClassLabels.None;
    private readonly List<string> _notices = [];

    /// <summary>Reads a file of images and, where there is one, of labels.</summary>
    /// <param name="path">The file of images.</param>
    /// <exception cref="JepaException">A file cannot be read or is no IDX.</exception>
    public IdxImages(string path)
    {
        _path = Path.GetFullPath(path);
        _images = IdxFile.Read(path, dimensions: 3);
        (_height, _width) = (_images.Dimensions[1], _images.Dimensions[2]);
        if ((long)_height * _width > DecodingLimits.Default.MaxPixels)
            throw new JepaException(
                $"{path} claims images of {_width}x{_height} pixels; at most {DecodingLimits.Default.MaxPixels:N0} pixels are read.", isUsage: true);
        if (!_images.IsWhole)
            _notices.Add($"{path} is cut short: it holds {_images.Data.Length / _images.ItemBytes:N0} of {Count:N0} images. Fetch it again.");
        if (LabelsBeside(_path) is not { } beside)
        {
            _notices.Add($"There is no labels file beside {path}.");
            return;
        }

        var labels = IdxFile.Read(beside, dimensions: 1);
        if (labels.Data.Length != Count)
            _notices.Add($"{beside} holds {Quantity.Of(labels.Data.Length, "label")} for {Quantity.Of(Count, "image")}.");
        _labels = ClassLabels.Of([.. Enumerable.Range(0, Count).Select(i => i < labels.Data.Length ? $"{labels.Data[i]}" : null)]);
        _notices.AddRange(_labels.Notices());
    }

    /// <inheritdoc/>
    public override int Count => _images.Dimensions[0];

    /// <inheritdoc/>
    public override string Description => _path;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => _labels.Classes;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Notices => _notices;

    /// <inheritdoc/>
    public override string NameOf(int index) => $"{Path.GetFileName(_path)}[{index}]";

    /// <inheritdoc/>
    public override int? LabelOf(int index) => _labels.Of(index);

    /// <inheritdoc/>
    public override OpenedImage Open(int index)
    {
        var size = _images.ItemBytes;
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        if ((index + 1L) * size > _images.Data.Length)
            throw new ImageUnreadableException(NameOf(index), "the IDX file is cut short before the end of this image.");
        var grey = _images.Data.AsSpan(index * size, size);
        var image = new RgbImage(_width, _height);
        for (int i = 0, at = 0; i < grey.Length; i++, at += 3)
            (image.Pixels[at], image.Pixels[at + 1], image.Pixels[at + 2]) = (grey[i], grey[i], grey[i]);
        return new PixelImage(image);
    }

    /// <summary>Whether a file is called as images in IDX are.</summary>
    internal static bool IsOne(string path) =>
        Path.GetFileName(path) is var name && name.Contains("idx3", StringComparison.Ordinal) && name.Contains(Images, StringComparison.Ordinal);

    /// <summary>The file of a folder that holds a part: "train", or "test" and "t10k"; null where there is none.</summary>
    internal static string? Find(IEnumerable<string> files, string part)
    {
        var prefix = part == "test" ? "t10k" : part;
        return files.Where(IsOne)
            .Where(f => Path.GetFileName(f).StartsWith(prefix + "-", StringComparison.Ordinal)).Order(StringComparer.Ordinal).FirstOrDefault();
    }

    /// <summary>The labels file that lies beside a file of images; null where there is none.</summary>
    internal static string? LabelsBeside(string path)
    {
        if (!IsOne(path)) return null;
        var name = Path.GetFileName(path).Replace(Images, Labels, StringComparison.Ordinal).Replace("idx3", "idx1", StringComparison.Ordinal);
        var plain = name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? name[..^3] : name;
        return ((string[])[name, plain, plain + ".gz"]).Select(n => Path.Combine(Path.GetDirectoryName(path)!, n)).FirstOrDefault(File.Exists);
    }
}
