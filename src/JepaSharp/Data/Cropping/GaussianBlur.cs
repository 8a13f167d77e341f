using System.Buffers;

namespace JepaSharp.Data.Cropping;

/// <summary>Separable Gaussian blur of uint8 RGB; beyond the border the border pixel repeats.</summary>
/// <remarks>Deviation: a true Gaussian cut at three deviations, where Pillow runs three box filters of about the same variance.</remarks>
internal static class GaussianBlur
{
    /// <summary>Blurs in place.</summary>
    /// <param name="pixels">[H, W, 3].</param>
    /// <param name="width">W in pixels.</param>
    /// <param name="height">H in pixels.</param>
    /// <param name="deviation">Standard deviation in pixels.</param>
    public static void Apply(Span<byte> pixels, int width, int height, double deviation)
    {
        var kernel = Kernel(deviation);
        var rented = ArrayPool<float>.Shared.Rent(pixels.Length);
        var rows = rented.AsSpan(0, pixels.Length);
        var radius = kernel.Length / 2;
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                float r = 0, g = 0, b = 0;
                for (var k = -radius; k <= radius; k++)
                {
                    var at = 3 * ((y * width) + Math.Clamp(x + k, 0, width - 1));
                    var weight = kernel[k + radius];
                    (r, g, b) = (r + (weight * pixels[at]), g + (weight * pixels[at + 1]), b + (weight * pixels[at + 2]));
                }

                var to = 3 * ((y * width) + x);
                (rows[to], rows[to + 1], rows[to + 2]) = (r, g, b);
            }
        }

        var stride = 3 * width;
        for (var y = 0; y < height; y++)
        {
            for (var i = 0; i < stride; i++)
            {
                var sum = 0f;
                for (var k = -radius; k <= radius; k++) sum += kernel[k + radius] * rows[(Math.Clamp(y + k, 0, height - 1) * stride) + i];
                pixels[(y * stride) + i] = (byte)Math.Clamp(sum + 0.5f, 0, 255);
            }
        }

        ArrayPool<float>.Shared.Return(rented);
    }

    /// <summary>exp(-x^2 / (2 deviation^2)) for x = -radius .. radius, normalised to a sum of one.</summary>
    private static float[] Kernel(double deviation)
    {
        var radius = (int)Math.Ceiling(3 * deviation);
        var weights = Enumerable.Range(-radius, (2 * radius) + 1).Select(x => Math.Exp(-x * x / (2 * deviation * deviation))).ToArray();
        var sum = weights.Sum();
        return Array.ConvertAll(weights, w => (float)(w / sum));
    }
}
