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
    // Four bytes a pixel for the encoder, and what it makes of them.
    private const long BytesToEncode = 5;

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

        var bytes = BytesToEncode * width * height;
        var rgba = isWhole ? Whole(image, bytes) : WithFourth(Reduced(image, width, height, bytes));
        return Jpeg(rgba, width, height, quality) is { } jpeg ? new PreparedImage(jpeg, width, height, IsEncoded: true) : new PreparedImage(WithoutFourth(rgba), width, height, IsEncoded: false);
    }

    private byte[] Whole(OpenedImage image, long extra)
    {
        var request = new DecodeRequest(PixelBox.Whole(image.Width, image.Height), image.Width, image.Height, AllowScaling: false);
        image.Require(request, extra);
        var rgba = GC.AllocateUninitializedArray<byte>(4 * image.Width * image.Height);
        image.DecodeBands(request, _sampler.Buffer, (in band) => band.CopyTo(rgba, image.Width));
        _sampler.Buffer.Trim();
        return rgba;
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

    private static byte[] WithFourth(RgbImage image)
    {
        var rgba = new byte[4L * image.Width * image.Height];
        PixelRegion.Of(image).CopyTo(rgba, image.Width);
        return rgba;
    }

    private static byte[] WithoutFourth(byte[] rgba) => [.. rgba.Where((_, i) => i % 4 != 3)];

    /// <summary>null where the encoder refuses.</summary>
    private static unsafe byte[]? Jpeg(byte[] rgba, int width, int height, int quality)
    {
        fixed (byte* first = rgba)
        {
            using var pixmap = new SKPixmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque), (IntPtr)first);
            using var data = pixmap.Encode(new SKJpegEncoderOptions(quality, SKJpegEncoderDownsample.Downsample420, SKJpegEncoderAlphaOption.Ignore));
            return data?.ToArray();
        }
    }
}
