using JepaSharp.Data;
using JepaSharp.Runtime;
using SkiaSharp;

namespace JepaSharp.Tests.Data;

/// <summary>Made-up images, encoded.</summary>
internal static class EncodedImages
{
    /// <summary>Smooth colour gradients with a little texture: nothing repeats, so that a shifted, mirrored or swapped pixel is noticed.</summary>
    public static RgbImage Picture(int width, int height, int kind = 0)
    {
        var image = new RgbImage(width, height);
        for (var y = 0; y < height; y++)
        {
            var row = image.Row(y);
            for (var x = 0; x < width; x++)
            {
                row[3 * x] = (byte)(255 * x / Math.Max(1, width - 1));
                row[(3 * x) + 1] = (byte)(255 * y / Math.Max(1, height - 1));
                row[(3 * x) + 2] = (byte)((40 * kind) + (17 * ((x / 3) + (y / 5)) % 97));
            }
        }

        return image;
    }

    public static RgbImage Noise(int width, int height, ulong seed)
    {
        var image = new RgbImage(width, height);
        var random = new RandomStream(seed, RandomPurpose.Evaluation);
        for (var i = 0; i < image.Pixels.Length; i++) image.Pixels[i] = (byte)random.NextInt(256);
        return image;
    }

    public static byte[] Jpeg(RgbImage image, int quality = 90) => Encode(image, SKEncodedImageFormat.Jpeg, quality);

    public static byte[] Png(RgbImage image) => Encode(image, SKEncodedImageFormat.Png, 100);

    public static byte[] WebP(RgbImage image) => Encode(image, SKEncodedImageFormat.Webp, 100);

    /// <summary>The image in whatever way libvips writes it, with the options of its file name suffix: ".tif[compression=lzw]".</summary>
    public static byte[] ByVips(RgbImage image, string suffix, Func<NetVips.Image, NetVips.Image>? change = null)
    {
        using var plain = NetVips.Image.NewFromMemoryCopy<byte>(image.Pixels, image.Width, image.Height, 3, NetVips.Enums.BandFormat.Uchar);
        using var rgb = plain.Copy(interpretation: NetVips.Enums.Interpretation.Srgb);
        using var changed = change is null ? rgb.Copy() : change(rgb);
        return changed.WriteToBuffer(suffix);
    }

    /// <summary>A JPEG with an EXIF segment that holds nothing but the orientation.</summary>
    public static byte[] WithOrientation(byte[] jpeg, int orientation)
    {
        byte[] exif =
        [
            0xff, 0xe1, 0, 34, (byte)'E', (byte)'x', (byte)'i', (byte)'f', 0, 0,
            (byte)'M', (byte)'M', 0, 42, 0, 0, 0, 8, 0, 1,
            0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0,
        ];
        return [.. jpeg[..2], .. exif, .. jpeg[2..]];
    }

    /// <summary>A 24-bit bottom-up BMP.</summary>
    public static byte[] Bmp(RgbImage image)
    {
        var stride = ((3 * image.Width) + 3) / 4 * 4;
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("BM"u8);
        writer.Write(54 + (stride * image.Height));
        writer.Write(0);
        writer.Write(54);
        foreach (var value in (int[])[40, image.Width, image.Height, 1 | (24 << 16), 0, stride * image.Height, 2835, 2835, 0, 0]) writer.Write(value);
        for (var y = image.Height - 1; y >= 0; y--)
        {
            var line = new byte[stride];
            for (var x = 0; x < image.Width; x++)
                for (var c = 0; c < 3; c++) line[(3 * x) + c] = image.Row(y)[(3 * x) + 2 - c];
            writer.Write(line);
        }

        return stream.ToArray();
    }

    private static byte[] Encode(RgbImage image, SKEncodedImageFormat format, int quality)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        for (var y = 0; y < image.Height; y++)
            for (var x = 0; x < image.Width; x++)
                bitmap.SetPixel(x, y, new SKColor(image.Row(y)[3 * x], image.Row(y)[(3 * x) + 1], image.Row(y)[(3 * x) + 2]));
        using var data = bitmap.Encode(format, quality);
        return data.ToArray();
    }
}
