using System.Runtime.Intrinsics;

namespace JepaSharp.Data.Augmentation;

/// <summary>Changes of 8-bit RGB pixels with given parameters, in place: Pillow's and torchvision's, to the byte.</summary>
/// <remarks>
/// Luma is L = (19595 R + 38470 G + 7471 B + 32768) >> 16. A blend of a and b by f is a + f (b - a) in 32-bit floats, clipped to 0..255 and cut to a
/// whole number; f = 1 leaves b as it is.
/// </remarks>
public static class PixelOperations
{
    /// <summary>Blends black with the pixels.</summary>
    /// <param name="pixels">uint8 [H, W, 3].</param>
    /// <param name="factor">f, 0 or more: 0 for black, 1 for no change.</param>
    public static void Brightness(Span<byte> pixels, double factor) => Blend(pixels, 0, (float)factor);

    /// <summary>Blends the image's mean luma, rounded, with the pixels.</summary>
    /// <param name="pixels">uint8 [H, W, 3].</param>
    /// <param name="factor">f, 0 or more: 0 for one grey, 1 for no change.</param>
    public static void Contrast(Span<byte> pixels, double factor)
    {
        long sum = 0;
        var end = FourPixels.Whole(pixels.Length);
        for (var at = 0; at < end; at += FourPixels.Bytes)
        {
            var (red, green, blue) = FourPixels.Of(pixels[at..]);
            sum += Vector128.Sum(Luma(red, green, blue));
        }

        for (var i = end + 2; i < pixels.Length; i += 3) sum += Luma(pixels[i - 2], pixels[i - 1], pixels[i]);
        Blend(pixels, (int)(((double)sum / (pixels.Length / 3)) + 0.5), (float)factor);
    }

    /// <summary>Blends each pixel's luma with the pixel.</summary>
    /// <param name="pixels">uint8 [H, W, 3].</param>
    /// <param name="factor">f, 0 or more: 0 for grey, 1 for no change.</param>
    public static void Saturation(Span<byte> pixels, double factor)
    {
        var share = (float)factor;
        if (share == 1) return;
        var end = FourPixels.Whole(pixels.Length);
        for (var at = 0; at < end; at += FourPixels.Bytes)
        {
            var (red, green, blue) = FourPixels.Of(pixels[at..]);
            var luma = Vector128.ConvertToSingle(Luma(red, green, blue));
            FourPixels.Write(Blended(red, luma, share), Blended(green, luma, share), Blended(blue, luma, share), pixels[at..]);
        }

        for (var i = end + 2; i < pixels.Length; i += 3)
        {
            byte red = pixels[i - 2], green = pixels[i - 1], blue = pixels[i];
            float luma = Luma(red, green, blue);
            pixels[i - 2] = Blended(red, luma, share);
            pixels[i - 1] = Blended(green, luma, share);
            pixels[i] = Blended(blue, luma, share);
        }
    }

    /// <summary>Sets all three channels to the luma.</summary>
    /// <param name="pixels">uint8 [H, W, 3].</param>
    public static void Gray(Span<byte> pixels)
    {
        for (var i = 2; i < pixels.Length; i += 3)
            pixels[i - 2] = pixels[i - 1] = pixels[i] = (byte)Luma(pixels[i - 2], pixels[i - 1], pixels[i]);
    }

    /// <summary>Inverts what is bright: v below the threshold stays, else 255 - v.</summary>
    /// <param name="pixels">uint8 [H, W, 3].</param>
    /// <param name="threshold">0 to 256.</param>
    public static void Solarize(Span<byte> pixels, int threshold)
    {
        foreach (ref var value in pixels)
        {
            if (value >= threshold) value = (byte)(255 - value);
        }
    }

    /// <summary>Mirrors left and right.</summary>
    /// <param name="pixels">uint8 [H, W, 3].</param>
    /// <param name="width">W.</param>
    public static void Mirror(Span<byte> pixels, int width)
    {
        for (var start = 0; start < pixels.Length; start += 3 * width)
        {
            for (int left = start, right = start + (3 * (width - 1)); left < right; left += 3, right -= 3)
            {
                for (var c = 0; c < 3; c++) (pixels[left + c], pixels[right + c]) = (pixels[right + c], pixels[left + c]);
            }
        }
    }

    private static int Luma(byte red, byte green, byte blue) => ((19595 * red) + (38470 * green) + (7471 * blue) + 0x8000) >> 16;

    private static Vector128<int> Luma(Vector128<int> red, Vector128<int> green, Vector128<int> blue) =>
        ((red * 19595) + (green * 38470) + (blue * 7471) + Vector128.Create(0x8000)) >> 16;

    private static void Blend(Span<byte> pixels, float anchor, float factor)
    {
        if (factor == 1) return;
        Span<byte> table = stackalloc byte[256];
        for (var value = 0; value < table.Length; value++) table[value] = Blended((byte)value, anchor, factor);
        foreach (ref var value in pixels) value = table[value];
    }

    private static byte Blended(byte value, float anchor, float factor) => (byte)Math.Clamp(anchor + (factor * (value - anchor)), 0, 255);

    private static Vector128<int> Blended(Vector128<int> value, Vector128<float> anchor, float factor)
    {
        var blended = anchor + (factor * (Vector128.ConvertToSingle(value) - anchor));
        return Vector128.ConvertToInt32(Vector128.Min(Vector128.Max(blended, Vector128<float>.Zero), Vector128.Create(255f)));
    }
}
