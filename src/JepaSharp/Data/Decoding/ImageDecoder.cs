using JepaSharp.Data.Sources;
using JepaSharp.Runtime;
using Microsoft.Win32.SafeHandles;

namespace JepaSharp.Data.Decoding;

/// <summary>Opens encoded images: JPEG, PNG, WebP, and BMP with SkiaSharp, TIFF and large or deep PNG with libvips, GIF by itself
/// (docs/decisions/0001-image-decoding.md).</summary>
/// <remarks>
/// Pixels become RGB as Pillow's <c>convert("RGB")</c> makes them: grey is repeated, alpha is dropped, wide channels keep their high byte, of an
/// animation the first frame is taken, no colour profile is applied. Unlike Pillow's <c>open</c>, the EXIF orientation is applied.
/// </remarks>
public static class ImageDecoder
{
    // SkiaSharp decodes a PNG whole, of four bytes a pixel; libvips takes longer to begin.
    private const long MostPixelsWhole = 4 << 20;

    /// <summary>Opens a file.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="name">What to call it in messages; the path where null.</param>
    /// <param name="limits">What to refuse.</param>
    /// <exception cref="ImageUnreadableException">The file is missing, damaged, too large or of no known format.</exception>
    public static OpenedImage Open(string path, string? name = null, DecodingLimits? limits = null)
    {
        limits ??= DecodingLimits.Default;
        return Open(FileBytes.Read(name ?? path, path, limits), name ?? path, limits);
    }

    /// <summary>Opens an encoded image that is already in memory.</summary>
    /// <param name="bytes">The file's bytes; they must not change while the image is open.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="limits">What to refuse.</param>
    /// <exception cref="ImageUnreadableException">The bytes are damaged, too large or of no known format.</exception>
    public static OpenedImage Open(byte[] bytes, string name, DecodingLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        return Open(FileBytes.Of(bytes), name, limits ?? DecodingLimits.Default);
    }

    /// <summary>Opens an encoded image that lies inside a larger file.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    internal static OpenedImage Open(SafeFileHandle file, long offset, long length, string name, DecodingLimits limits)
    {
        var bytes = FileBytes.Read(name, file, offset, length, limits);
        if (bytes.Length == length) return Open(bytes, name, limits);
        bytes.Dispose();
        throw new ImageUnreadableException(name, $"the file it lies in is cut short: {bytes.Length:N0} of its {length:N0} bytes are there.");
    }

    private static OpenedImage Open(FileBytes file, string name, DecodingLimits limits)
    {
        try
        {
            if (file.Length == 0) throw new ImageUnreadableException(name, "the file is empty.");
            var format = ImageFileFormat.Of(file.Span)
                ?? throw new ImageUnreadableException(
                    name,
                    "the content is no JPEG, PNG, WebP, BMP, GIF or TIFF, whatever the name says"
                    + (ForeignContent.Of(file.Span) is { } foreign ? $": it is {foreign.What}; {foreign.Remedy}." : "."));
            return format switch
            {
                ImageFileFormat.Tiff => TiffImage.Open(file, name, limits),
                "png" => OpenPng(file, PngChunks.Of(file.Span, name), name, limits),
                "gif" => GifImage.Open(file, name, limits),
                _ => SkiaImage.Open(file, name, format, limits),
            };
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static OpenedImage OpenPng(FileBytes file, PngChunks chunks, string name, DecodingLimits limits)
    {
        var needed = chunks.Needed(file);
        try
        {
            return (chunks.Depth == 16 || chunks.Pixels > MostPixelsWhole) && VipsImage.IsAvailable
                ? VipsImage.OpenPng(needed, name, chunks, limits)
                : SkiaImage.Open(needed, name, "png", limits, chunks.Orientation, chunks.HasFurtherFrames);
        }
        catch
        {
            needed.Dispose();
            throw;
        }
    }

    /// <summary>Refuses an image by the size in its header.</summary>
    internal static void Check(string name, long width, long height, DecodingLimits limits)
    {
        if (width <= 0 || height <= 0) throw new ImageUnreadableException(name, $"the image has no pixels ({width}x{height}).");
        var most = Math.Min(limits.MaxPixels, DecodingLimits.MostThatFit);
        if (width * height > most)
            throw new ImageUnreadableException(name, $"{width}x{height} is {width * height:N0} pixels; at most {most:N0} are decoded.");
    }
}

/// <summary>What a decoder refuses by an image's header, before it spends memory or time.</summary>
/// <param name="MaxPixels">Most pixels of an image; the default, 178,956,970, is where Pillow refuses too.</param>
/// <param name="MaxFileBytes">Most bytes of a file.</param>
public sealed record DecodingLimits(long MaxPixels = 178_956_970, long MaxFileBytes = 1 << 30)
{
    // Four bytes each in one array.
    internal const long MostThatFit = 500_000_000;

    /// <summary>The defaults.</summary>
    public static DecodingLimits Default { get; } = new();
}

/// <summary>Names a file's format by its first bytes; what it is called plays no part.</summary>
internal static class ImageFileFormat
{
    public const string Tiff = "tiff";

    /// <summary>Extensions, lower case and without the dot, of files that are taken for images.</summary>
    public static readonly IReadOnlyList<string> Extensions = ["jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"];

    /// <summary>"jpeg", "png", "webp", "bmp", "gif" or "tiff"; null for anything else.</summary>
    public static string? Of(ReadOnlySpan<byte> head) => head switch
    {
        [0xff, 0xd8, 0xff, ..] => "jpeg",
        [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => "png",
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => "webp",
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] => "gif",
        [(byte)'B', (byte)'M', ..] => "bmp",
        [(byte)'I', (byte)'I', 42 or 43, 0, ..] or [(byte)'M', (byte)'M', 0, 42 or 43, ..] => Tiff,
        _ => null,
    };
}
