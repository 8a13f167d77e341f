using System.Buffers;

namespace JepaSharp.Data.Augmentation;

/// <summary>Gaussian blur of 8-bit RGB as three extended box blurs along rows and three along columns: Pillow's, to the byte.</summary>
/// <remarks>
/// Source: Gwosdek et al., "Theoretical foundations of Gaussian convolution by extended box filtering", 2011. Of the deviation σ the three boxes have
/// a third of the variance each: s² = σ² / 3, L = √(12 s² + 1), l = floor((L - 1) / 2), radius r = l + (2 l + 1) (l (l + 1) - 3 s²) / (6 (s² - (l +
/// 1)²)), in 32-bit floats. A box of radius r = n + a fraction weighs 2 n + 1 pixels alike and the two beyond by the fraction, in 24-bit fixed point;
/// beyond the border the border pixel repeats.
/// </remarks>
public static class GaussianBlur
{
    private const int Passes = 3, Fraction = 24;

    /// <summary>Blurs in place.</summary>
    /// <param name="pixels">uint8 [H, W, 3].</param>
    /// <param name="width">W in pixels.</param>
    /// <param name="height">H in pixels.</param>
    /// <param name="deviation">σ in pixels, 0 or more.</param>
    public static void Apply(Span<byte> pixels, int width, int height, double deviation)
    {
        var radius = RadiusOf((float)deviation);
        if (radius == 0) return;
        var rented = ArrayPool<byte>.Shared.Rent(2 * Math.Max(width, height));
        for (var pass = 0; pass < Passes; pass++)
        {
            for (var y = 0; y < height; y++)
            {
                for (var c = 0; c < 3; c++) Box(pixels, (3 * width * y) + c, 3, width, radius, rented);
            }
        }

        for (var pass = 0; pass < Passes; pass++)
        {
            for (var x = 0; x < 3 * width; x++) Box(pixels, x, 3 * width, height, radius, rented);
        }

        ArrayPool<byte>.Shared.Return(rented);
    }

    /// <summary>Radius of each of the boxes.</summary>
    private static float RadiusOf(float deviation)
    {
        var variance = deviation * deviation / Passes;
        var length = (float)Math.Sqrt((12.0 * variance) + 1.0);
        var whole = (float)Math.Floor((length - 1.0) / 2.0);
        var fraction = ((2 * whole) + 1) * ((whole * (whole + 1)) - (3 * variance));
        return whole + (fraction / (6 * (variance - ((whole + 1) * (whole + 1)))));
    }

    /// <summary>One box blur along a line of <paramref name="count"/> bytes, <paramref name="stride"/> apart.</summary>
    private static void Box(Span<byte> pixels, int start, int stride, int count, float radius, Span<byte> line)
    {
        for (var i = 0; i < count; i++) line[i] = pixels[start + (i * stride)];
        var whole = (int)radius;
        var inner = (uint)((1 << Fraction) / ((radius * 2) + 1));
        var outer = ((1u << Fraction) - ((uint)((2 * whole) + 1) * inner)) / 2;
        var last = count - 1;
        uint sum = 0;
        for (var j = -whole; j <= whole; j++) sum += line[Math.Clamp(j, 0, last)];
        for (var i = 0; i < count; i++)
        {
            uint before = line[Math.Max(i - whole - 1, 0)], after = line[Math.Min(i + whole + 1, last)];
            pixels[start + (i * stride)] = (byte)(((inner * sum) + (outer * (before + after)) + (1u << (Fraction - 1))) >> Fraction);
            sum = sum + after - line[Math.Max(i - whole, 0)];
        }
    }
}
