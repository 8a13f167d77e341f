using JepaSharp.Data;
using JepaSharp.Data.Cropping;

namespace JepaSharp.Tests.Data.Cropping;

/// <summary>The slow and obvious antialiased resize: one sum over all pixels of the box for each axis, rounded to uint8 after each.</summary>
internal static class TextbookResize
{
    public static byte[] Of(RgbImage image, PixelBox box, int width, int height, ResampleFilter filter)
    {
        var rows = new double[box.Height, width, 3];
        for (var y = 0; y < box.Height; y++)
            for (var x = 0; x < width; x++)
                for (var c = 0; c < 3; c++)
                    rows[y, x, c] = Sum(box.Width, width, x, filter, i => image.Row(box.Top + y)[(3 * (box.Left + i)) + c]);
        var output = new byte[3 * width * height];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                for (var c = 0; c < 3; c++)
                    output[(3 * ((y * width) + x)) + c] = (byte)Sum(box.Height, height, y, filter, i => rows[i, x, c]);
        return output;
    }

    private static double Sum(int inputs, int outputs, int at, ResampleFilter filter, Func<int, double> value)
    {
        var scale = (double)inputs / outputs;
        var widening = Math.Max(1, scale);
        var weights = Enumerable.Range(0, inputs).Select(i => Kernel(filter, (i + 0.5 - ((at + 0.5) * scale)) / widening)).ToArray();
        var total = weights.Sum();
        // Weights have 22 fractional bits; without that rounding, a sum that lies between two levels would fall to either side by chance.
        var sum = weights.Select((w, i) => Math.Round(w / total * (1 << 22), MidpointRounding.AwayFromZero) / (1 << 22) * value(i)).Sum();
        return Math.Floor(Math.Clamp(sum, 0, 255) + 0.5);
    }

    // Keys, "Cubic convolution interpolation for digital image processing", 1981, with a = -1/2.
    private static double Kernel(ResampleFilter filter, double x)
    {
        x = Math.Abs(x);
        return (filter, x) switch
        {
            (ResampleFilter.Bilinear, _) => Math.Max(0, 1 - x),
            (_, < 1) => (1.5 * x * x * x) - (2.5 * x * x) + 1,
            (_, < 2) => (-0.5 * x * x * x) + (2.5 * x * x) - (4 * x) + 2,
            _ => 0,
        };
    }
}
