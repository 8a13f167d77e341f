using JepaSharp.Data.Cropping;
using JepaSharp.Data.Decoding;
using SkiaSharp;

namespace JepaSharp.Data.Sources.Packing;

/// <summary>An image as a pack stores it.</summary>
/// <param name="Bytes">Raw [H, W, 3], or a JPEG file.</param>
/// <param name="Width">W in pixels.</param>
/// <param name="Height">H in pixels.</param>
/// <param name="IsEncoded">Whether it is a JPEG.</param>
internal sealed record PreparedImage(byte[] Bytes, int Width, int Height, bool IsEncoded);

/// <summary>Reduces and encodes images for a pack. Keeps its memory; one for each thread.</summary>
internal sealed class ImagePreparer(PackOptions options, long kept)
{
    // SkiaSharp's encoder takes four bytes a pixel, holds three of coefficients, and what it makes of them.
    private const long BytesToEncode = 8;

    // Larger images go to libvips's encoder, which holds nothing but what it makes.
    private const long MostPixels = 16 << 20, BytesToEncodeLarge = 1;

    // A JPEG ends there to a side, says libjpeg.
    private const int LongestSide = 65_500;

    private readonly CropSampler _sampler = new(kept);

    /// <summary>Bytes that an image will have in the pack; of a JPEG, hardly ever more.</summary>
    public long BytesOf(OpenedImage image)
    {
        var (width, height) = SizeOf(image);
        return (options.JpegQuality is null ? 3L : 1L) * width * height;
    }

    public PreparedImage Prepare(OpenedImage image)
    {
        var (width, height) = SizeOf(image);
        var isWhole = width == image.Width && height == image.Height;
        if (options.JpegQuality is not { } quality || Math.Max(width, height) > LongestSide)
        {
            var pixels = isWhole ? image.DecodeWhole(_sampler.Buffer) : Reduced(image, width, height, 0);
            return new PreparedImage(pixels.Pixels, width, height, IsEncoded: false);
        }

        var isLarge = (long)width * height > MostPixels && VipsImage.IsAvailable;
        var bytes = (isLarge ? BytesToEncodeLarge : BytesToEncode) * width * height;
        var rgb = isWhole ? image.DecodeWhole(_sampler.Buffer, bytes) : Reduced(image, width, height, bytes);
        return (isLarge ? VipsImage.Jpeg(rgb, quality) : Jpeg(rgb, quality)) is { } jpeg
            ? new PreparedImage(jpeg, width, height, IsEncoded: true)
            : new PreparedImage(rgb.Pixels, width, height, IsEncoded: false);
    }

    private RgbImage Reduced(OpenedImage image, int width, int height, long extra)
    {
        var reduced = new RgbImage(width, height);
        var geometry = CropGeometry.Of(PixelBox.Whole(image.Width, image.Height), width, height, ResampleFilter.Bicubic);
        _sampler.Sample(image, geometry, allowScaling: true, reduced.Pixels, (3L * width * height) + extra);
        return reduced;
    }

    private (int Width, int Height) SizeOf(OpenedImage image)
    {
        int width = image.Width, height = image.Height, shorter = Math.Min(width, height);
        return options.ShorterSide is { } side && side < shorter ? (Scaled(width, side, shorter), Scaled(height, side, shorter)) : (width, height);
    }

    // Rounded downwards, as torchvision's Resize does.
    private static int Scaled(int length, int side, int shorter) => (int)((long)length * side / shorter);

    /// <summary>null where the encoder refuses.</summary>
    private static unsafe byte[]? Jpeg(RgbImage image, int quality)
    {
        var pixels = new byte[4L * image.Width * image.Height];
        for (int from = 0, to = 0; from < image.Pixels.Length; from += 3, to += 4)
            (pixels[to], pixels[to + 1], pixels[to + 2], pixels[to + 3]) = (image.Pixels[from], image.Pixels[from + 1], image.Pixels[from + 2], 255);
        fixed (byte* first = pixels)
        {
            var info = new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
            using var pixmap = new SKPixmap(info, (IntPtr)first);
            using var data = pixmap.Encode(new SKJpegEncoderOptions(quality, SKJpegEncoderDownsample.Downsample420, SKJpegEncoderAlphaOption.Ignore));
            return data?.ToArray();
        }
    }
}
