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
        for (var i = 0; i < pixels.Length; i += 3) sum += Luma(pixels.Slice(i, 3));
        Blend(pixels, (int)(((double)sum / (pixels.Length / 3)) + 0.5), (float)factor);
    }

    /// <summary>Blends each pixel's luma with the pixel.</summary>
    /// <param name="pixels">uint8 [H, W, 3].</param>
    /// <param name="factor">f, 0 or more: 0 for grey, 1 for no change.</param>
    public static void Saturation(Span<byte> pixels, double factor)
    {
        for (var i = 0; i < pixels.Length; i += 3)
        {
            var pixel = pixels.Slice(i, 3);
            Blend(pixel, Luma(pixel), (float)factor);
        }
    }

    /// <summary>Sets all three channels to the luma.</summary>
    /// <param name="pixels">uint8 [H, W, 3].</param>
    public static void Gray(Span<byte> pixels)
    {
        for (var i = 0; i < pixels.Length; i += 3) pixels.Slice(i, 3).Fill((byte)Luma(pixels.Slice(i, 3)));
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

    private static int Luma(ReadOnlySpan<byte> pixel) => ((19595 * pixel[0]) + (38470 * pixel[1]) + (7471 * pixel[2]) + 0x8000) >> 16;

    private static void Blend(Span<byte> pixels, float anchor, float factor)
    {
        if (factor == 1) return;
        foreach (ref var value in pixels) value = (byte)Math.Clamp(anchor + (factor * (value - anchor)), 0, 255);
    }
}
