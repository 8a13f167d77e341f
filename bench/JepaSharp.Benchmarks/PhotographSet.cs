using System.Globalization;
using System.Runtime.InteropServices;
using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Decoding;
using SkiaSharp;

namespace JepaSharp.Benchmarks;

/// <summary>Photographs of an ordinary size to measure loading with: crops of a few, at changing places, as JPEGs of 400x533 pixels and quality
/// 90.</summary>
internal static class PhotographSet
{
    private const int Count = 512, Width = 400, Height = 533, Quality = 90;

    public static int Write(string folder, string target)
    {
        var photographs = Directory.GetFiles(folder, "*.jpg").Order(StringComparer.Ordinal).Select(path => ImageDecoder.Open(path)).ToArray();
        var pictures = Array.ConvertAll(photographs, p => p.Decode());
        Directory.CreateDirectory(target);
        var sampler = new CropSampler();
        var crop = new RgbImage(Width, Height);
        for (var i = 0; i < Count; i++)
        {
            var picture = pictures[i % pictures.Length];
            sampler.Sample(picture, CropGeometry.Of(BoxOf(picture, i), Width, Height, ResampleFilter.Bicubic), crop.Pixels);
            File.WriteAllBytes(Path.Combine(target, i.ToString("D4", CultureInfo.InvariantCulture) + ".jpg"), Jpeg(crop));
        }

        foreach (var photograph in photographs) photograph.Dispose();
        return 0;
    }

    /// <summary>The largest box of the shape wanted, moved along the picture with the number.</summary>
    private static PixelBox BoxOf(RgbImage picture, int number)
    {
        var width = Math.Min(picture.Width, picture.Height * Width / Height);
        var height = Math.Min(picture.Height, picture.Width * Height / Width);
        return new PixelBox(number % (picture.Width - width + 1), number % (picture.Height - height + 1), width, height);
    }

    private static byte[] Jpeg(RgbImage image)
    {
        var pixels = new byte[4 * image.Width * image.Height];
        for (int from = 0, to = 0; from < image.Pixels.Length; from += 3, to += 4)
            (pixels[to], pixels[to + 1], pixels[to + 2], pixels[to + 3]) = (image.Pixels[from], image.Pixels[from + 1], image.Pixels[from + 2], 255);
        var pin = GCHandle.Alloc(pixels, GCHandleType.Pinned);
        try
        {
            using var pixmap =
                new SKPixmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque), pin.AddrOfPinnedObject());
            using var data = pixmap.Encode(new SKJpegEncoderOptions(Quality, SKJpegEncoderDownsample.Downsample420, SKJpegEncoderAlphaOption.Ignore))
                ?? throw new InvalidOperationException("The pixels cannot be stored as JPEG.");
            return data.ToArray();
        }
        finally
        {
            pin.Free();
        }
    }
}
