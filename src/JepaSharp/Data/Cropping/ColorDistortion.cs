using JepaSharp.Runtime;

namespace JepaSharp.Data.Cropping;

/// <summary>Random brightness, contrast, saturation and hue in random order with probability 0.8, then grey with probability 0.2.</summary>
/// <param name="Strength">s: brightness, contrast and saturation change by a factor within 1 +- 0.8 s, hue by up to 0.2 s of a turn.</param>
/// <remarks>Source: Chen et al., "A simple framework for contrastive learning" (SimCLR), 2020, appendix A. The hue is not rounded to 8 bits on the
/// way, as Pillow's is.</remarks>
public sealed record ColorDistortion(double Strength)
{
    /// <summary>Distorts an image in place.</summary>
    /// <param name="pixels">uint8 [H, W, 3].</param>
    /// <param name="random">The image's own stream.</param>
    public void Apply(Span<byte> pixels, ref RandomStream random)
    {
        if (random.NextDouble() < 0.8)
        {
            Span<int> order = [0, 1, 2, 3];
            random.Shuffle(order);
            var (low, high) = (Math.Max(0, 1 - (0.8 * Strength)), 1 + (0.8 * Strength));
            foreach (var step in order)
            {
                if (step == 3) ShiftHue(pixels, random.NextDouble(-0.2 * Strength, 0.2 * Strength));
                else Blend(pixels, step, (float)random.NextDouble(low, high));
            }
        }

        if (random.NextDouble() < 0.2) Blend(pixels, toward: 2, factor: 0);
    }

    /// <summary>factor * pixel + (1 - factor) * anchor; the anchor is black (0), the image's mean grey (1) or the pixel's own grey (2).</summary>
    internal static void Blend(Span<byte> pixels, int toward, float factor)
    {
        var anchor = 0f;
        if (toward == 1)
        {
            long sum = 0;
            for (var i = 0; i < pixels.Length; i += 3) sum += Grey(pixels.Slice(i, 3));
            anchor = (int)((3.0 * sum / pixels.Length) + 0.5);
        }

        for (var i = 0; i < pixels.Length; i += 3)
        {
            if (toward == 2) anchor = Grey(pixels.Slice(i, 3));
            for (var c = 0; c < 3; c++) pixels[i + c] = (byte)Math.Clamp(anchor + (factor * (pixels[i + c] - anchor)), 0, 255);
        }
    }

    /// <summary>Turns every colour round the grey axis of the HSV cone.</summary>
    internal static void ShiftHue(Span<byte> pixels, double turns)
    {
        for (var i = 0; i < pixels.Length; i += 3)
        {
            float r = pixels[i], g = pixels[i + 1], b = pixels[i + 2];
            var value = Math.Max(r, Math.Max(g, b));
            var chroma = value - Math.Min(r, Math.Min(g, b));
            if (chroma == 0) continue;
            var hue = value == r ? (g - b) / chroma : value == g ? 2 + ((b - r) / chroma) : 4 + ((r - g) / chroma);
            hue += 6 * (float)turns;
            for (var c = 0; c < 3; c++)
            {
                // HSV to RGB: channel n of (5, 3, 1) is V - C max(0, min(k, 4 - k, 1)), k = (n + hue) mod 6.
                var k = 5 - (2 * c) + hue;
                k -= 6 * MathF.Floor(k / 6);
                pixels[i + c] = (byte)Math.Clamp(value - (chroma * Math.Clamp(Math.Min(k, 4 - k), 0, 1)) + 0.5f, 0, 255);
            }
        }
    }

    /// <summary>ITU-R 601 luma.</summary>
    private static int Grey(ReadOnlySpan<byte> pixel) => ((19595 * pixel[0]) + (38470 * pixel[1]) + (7471 * pixel[2]) + 0x8000) >> 16;
}
