using SkiaSharp;

namespace JepaSharp.Data.Decoding;

/// <summary>Writes images as JPEG.</summary>
internal static class JpegFile
{
    /// <summary>The bytes of a JPEG file.</summary>
    /// <param name="image">The image.</param>
    /// <param name="quality">1 to 100.</param>
    public static byte[] Encode(RgbImage image, int quality)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(quality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);
        var pixels = new byte[4L * image.Width * image.Height];
        for (long from = 0, to = 0; to < pixels.LongLength; from += 3, to += 4)
        {
            pixels[to] = image.Pixels[from];
            pixels[to + 1] = image.Pixels[from + 1];
            pixels[to + 2] = image.Pixels[from + 2];
            pixels[to + 3] = byte.MaxValue;
        }

        var info = new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var copied = SKImage.FromPixelCopy(info, pixels);
        using var encoded = copied.Encode(SKEncodedImageFormat.Jpeg, quality);
        return encoded.ToArray();
    }
}
