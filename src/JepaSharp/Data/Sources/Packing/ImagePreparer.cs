using JepaSharp.Data.Cropping;
using SkiaSharp;

namespace JepaSharp.Data.Sources.Packing;

/// <summary>An image as a pack stores it.</summary>
/// <param name="Bytes">Raw [H, W, 3], or a JPEG file.</param>
/// <param name="Width">W in pixels.</param>
/// <param name="Height">H in pixels.</param>
internal sealed record PreparedImage(byte[] Bytes, int Width, int Height);

/// <summary>Reduces and encodes images for a pack. Keeps its memory; one for each thread.</summary>
internal sealed class ImagePreparer(PackOptions options)
{
    private readonly CropSampler _sampler = new();

    public PreparedImage Prepare(OpenedImage image)
    {
        var pixels = Reduced(image);
        return new PreparedImage(options.JpegQuality is { } quality ? Jpeg(pixels, quality) : pixels.Pixels, pixels.Width, pixels.Height);
    }

    private RgbImage Reduced(OpenedImage image)
    {
        int width = image.Width, height = image.Height, shorter = Math.Min(width, height);
        if (options.ShorterSide is not { } side || side >= shorter) return image.Decode();
        var reduced = new RgbImage(Scaled(width, side, shorter), Scaled(height, side, shorter));
        var geometry = CropGeometry.Of(PixelBox.Whole(width, height), reduced.Width, reduced.Height, ResampleFilter.Bicubic);
        _sampler.Sample(image, geometry, allowScaling: true, reduced.Pixels);
        return reduced;
    }

    // Rounded downwards, as torchvision's Resize does.
    private static int Scaled(int length, int side, int shorter) => (int)((long)length * side / shorter);

    private static unsafe byte[] Jpeg(RgbImage image, int quality)
    {
        var pixels = new byte[4L * image.Width * image.Height];
        for (int from = 0, to = 0; from < image.Pixels.Length; from += 3, to += 4)
            (pixels[to], pixels[to + 1], pixels[to + 2], pixels[to + 3]) = (image.Pixels[from], image.Pixels[from + 1], image.Pixels[from + 2], 255);
        fixed (byte* first = pixels)
        {
            var info = new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
            using var pixmap = new SKPixmap(info, (IntPtr)first);
            using var data = pixmap.Encode(new SKJpegEncoderOptions(quality, SKJpegEncoderDownsample.Downsample420, SKJpegEncoderAlphaOption.Ignore))
                ?? throw new InvalidOperationException($"{image.Width}x{image.Height} pixels cannot be stored as JPEG, which ends at 65,535 to a side.");
            return data.ToArray();
        }
    }
}
