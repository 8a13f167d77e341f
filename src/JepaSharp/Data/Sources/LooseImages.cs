using JepaSharp.Data.Decoding;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>Images one by one: files by their paths, or encoded images in memory, as a service is sent them.</summary>
public sealed class LooseImages : ImageSource
{
    private readonly IReadOnlyList<string> _names;
    private readonly IReadOnlyList<ReadOnlyMemory<byte>>? _encoded;

    private LooseImages(IReadOnlyList<string> names, IReadOnlyList<ReadOnlyMemory<byte>>? encoded) => (_names, _encoded) = (names, encoded);

    /// <summary>Files.</summary>
    /// <param name="paths">At least one.</param>
    /// <exception cref="JepaException">There is no such file.</exception>
    public static LooseImages Files(params IReadOnlyList<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentOutOfRangeException.ThrowIfZero(paths.Count);
        foreach (var path in paths)
            if (!RegularFile.Exists(path)) throw new JepaException($"{path} {Absence.Of(path)}. Expected an image file.", isUsage: true);
        return new LooseImages([.. paths], null);
    }

    /// <summary>Encoded images (JPEG, PNG, ...) in memory, which must not change while they are used.</summary>
    /// <param name="images">At least one.</param>
    public static LooseImages Encoded(params IReadOnlyList<ReadOnlyMemory<byte>> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfZero(images.Count);
        return new LooseImages([.. Enumerable.Range(0, images.Count).Select(i => FormattableString.Invariant($"image {i}"))], [.. images]);
    }

    /// <inheritdoc/>
    public override int Count => _names.Count;

    /// <inheritdoc/>
    public override string Description => _names.Count == 1 ? PrintableName.Of(_names[0]) : Quantity.Of(_names.Count, "image");

    /// <inheritdoc/>
    public override string NameOf(int index) => PrintableName.Of(_names[index]);

    /// <inheritdoc/>
    public override string? PathOf(int index) => _encoded is null ? _names[index] : null;

    /// <inheritdoc/>
    public override long StoredBytes(int index) => _encoded?[index].Length ?? RegularFile.LengthOf(_names[index]);

    /// <inheritdoc/>
    public override OpenedImage Open(int index) => _encoded is null
        ? ImageDecoder.Open(_names[index], NameOf(index))
        : ImageDecoder.Open(_encoded[index].ToArray(), NameOf(index));
}
