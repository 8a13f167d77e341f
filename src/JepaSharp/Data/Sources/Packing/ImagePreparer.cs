using JepaSharp.Data.Cropping;
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
    // Four bytes a pixel for the encoder, and what it makes of them.
    private const long BytesToEncode = 6;

    // Where libjpeg refuses.
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
        var pixels = Reduced(image);
        var jpeg = options.JpegQuality is { } quality ? Jpeg(pixels, quality) : null;
        return new PreparedImage(jpeg ?? pixels.Pixels, pixels.Width, pixels.Height, jpeg is not null);
    }

    private RgbImage Reduced(OpenedImage image)
    {
        var (width, height) = SizeOf(image);
        var toEncode = options.JpegQuality is null ? 0 : BytesToEncode * width * height;
        if (width == image.Width && height == image.Height) return image.DecodeWhole(_sampler.Buffer, toEncode);
        var reduced = new RgbImage(width, height);
        var geometry = CropGeometry.Of(PixelBox.Whole(image.Width, image.Height), width, height, ResampleFilter.Bicubic);
        _sampler.Sample(image, geometry, allowScaling: true, reduced.Pixels, (3L * width * height) + toEncode);
        return reduced;
    }

    private (int Width, int Height) SizeOf(OpenedImage image)
    {
        int width = image.Width, height = image.Height, shorter = Math.Min(width, height);
        return options.ShorterSide is { } side && side < shorter ? (Scaled(width, side, shorter), Scaled(height, side, shorter)) : (width, height);
    }

    // Rounded downwards, as torchvision's Resize does.
    private static int Scaled(int length, int side, int shorter) => (int)((long)length * side / shorter);

    /// <summary>null where the encoder refuses: a JPEG ends at 65,500 pixels to a side.</summary>
    private static unsafe byte[]? Jpeg(RgbImage image, int quality)
    {
        if (Math.Max(image.Width, image.Height) > LongestSide) return null;
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
