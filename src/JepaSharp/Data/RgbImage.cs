using JepaSharp.Runtime;

namespace JepaSharp.Data;

/// <summary>A decoded image: uint8 [H, W, 3], red, green, blue, rows from the top, no padding.</summary>
public sealed class RgbImage
{
    /// <summary>An image over existing pixels, which are not copied.</summary>
    /// <param name="width">W, at least 1.</param>
    /// <param name="height">H, at least 1.</param>
    /// <param name="pixels">[H, W, 3], exactly W * H * 3 bytes.</param>
    /// <exception cref="ArgumentException">A side is not positive, or the pixels are not W * H * 3 bytes.</exception>
    public RgbImage(int width, int height, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (pixels.LongLength != 3L * width * height)
            throw new ArgumentException($"{width}x{height} pixels need {3L * width * height} bytes; found {pixels.LongLength}.", nameof(pixels));
        (Width, Height, Pixels) = (width, height, pixels);
    }

    /// <summary>A black image.</summary>
    public RgbImage(int width, int height)
        : this(width, height, new byte[3L * width * height])
    {
    }

    /// <summary>W in pixels.</summary>
    public int Width { get; }

    /// <summary>H in pixels.</summary>
    public int Height { get; }

    /// <summary>[H, W, 3] uint8.</summary>
    public byte[] Pixels { get; }

    /// <summary>Row <paramref name="y"/>: [W, 3].</summary>
    public Span<byte> Row(int y) => Pixels.AsSpan(3 * Width * y, 3 * Width);

    /// <summary>The bytes of a PNG file that holds the image.</summary>
    public byte[] ToPng() => PngFile.Encode(Width, Height, Pixels);

    /// <summary>The bytes of a JPEG file that shows the image, about a tenth of a PNG's.</summary>
    /// <param name="quality">1 to 100.</param>
    public byte[] ToJpeg(int quality) => Decoding.JpegFile.Encode(this, quality);
}

/// <summary>A rectangle of whole pixels inside an image.</summary>
/// <param name="Left">First column.</param>
/// <param name="Top">First row.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
public readonly record struct PixelBox(int Left, int Top, int Width, int Height)
{
    /// <summary>The whole of an image.</summary>
    public static PixelBox Whole(int width, int height) => new(0, 0, width, height);
}
