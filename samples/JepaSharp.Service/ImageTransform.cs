using System.Globalization;

namespace JepaSharp.Service;

/// <summary>How an image becomes the encoder's input, as the model's file says: resized, cut out, scaled.</summary>
/// <remarks>
/// <c>paper</c>: the shorter side to size / 0.875 by a bicubic kernel (a = -0.5), then the centre; <c>squash</c>: the whole image by a triangle.
/// Kernels are widened where an image shrinks, and each pass is rounded to bytes, as Pillow does and as <c>jepa embed</c> does.
/// </remarks>
public sealed class ImageTransform
{
    private const double Share = 0.875;
    private readonly bool _squashes;
    private readonly float[] _scale, _shift;

    private ImageTransform(int size, bool squashes, float[] scale, float[] shift) =>
        (Size, _squashes, _scale, _shift) = (size, squashes, scale, shift);

    /// <summary>Side of the square in pixels.</summary>
    public int Size { get; }

    /// <summary>Reads it from a model's metadata.</summary>
    /// <exception cref="ModelUnusableException">It takes images of any size, of oblong ones, or of other than three channels.</exception>
    public static ImageTransform Of(IReadOnlyDictionary<string, string> texts, string path)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (!int.TryParse(texts.GetValueOrDefault("image_height"), CultureInfo.InvariantCulture, out var size)
            || texts.GetValueOrDefault("image_width") != texts["image_height"] || texts.GetValueOrDefault("channels") != "3")
            throw new ModelUnusableException($"{path} does not take square images of one size in three channels: export it with --size N.");
        double[] Numbers(string key) => [.. texts[key].Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
        var inside = texts.GetValueOrDefault("input") == "rgb 0 to 1";
        double[] mean = inside ? [0, 0, 0] : Numbers("normalization_mean"), deviation = inside ? [1, 1, 1] : Numbers("normalization_std");
        return new ImageTransform(
            size, texts.GetValueOrDefault("transform") == "squash", [.. deviation.Select(d => (float)(1 / (255 * d)))],
            [.. mean.Zip(deviation, (m, d) => (float)(-m / d))]);
    }

    /// <summary>The encoder's input: [3, S, S].</summary>
    public float[] Apply(Pixels image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var square = Square(image);
        var input = new float[3 * Size * Size];
        for (var i = 0; i < Size * Size; i++)
        {
            for (var c = 0; c < 3; c++) input[(c * Size * Size) + i] = (square[(i * 3) + c] * _scale[c]) + _shift[c];
        }

        return input;
    }

    /// <summary>Bytes [S, S, 3] before they are scaled.</summary>
    public byte[] Square(Pixels image)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (_squashes) return Resized(image, (Size, Size), (0, 0), x => Math.Max(0, 1 - Math.Abs(x)), 1);
        var shorter = (int)Math.Round(Size / Share);
        var longer = (int)((long)shorter * Math.Max(image.Width, image.Height) / Math.Min(image.Width, image.Height));
        var (width, height) = image.Width <= image.Height ? (shorter, longer) : (longer, shorter);
        var corner = ((int)Math.Round((width - Size) / 2.0), (int)Math.Round((height - Size) / 2.0));
        return Resized(image, (width, height), corner, Cubic, 2);
    }

    /// <summary>Rows first, then columns, of the window alone.</summary>
    private byte[] Resized(Pixels image, (int Width, int Height) to, (int Left, int Top) corner, Func<double, double> kernel, double support)
    {
        var columns = Weights(image.Width, to.Width, corner.Left, kernel, support);
        var rows = Weights(image.Height, to.Height, corner.Top, kernel, support);
        var (top, bottom) = (rows.Min(row => row.First), rows.Max(row => row.First + row.Weights.Length));
        var narrow = new byte[(bottom - top) * Size * 3];
        for (var y = top; y < bottom; y++)
        {
            for (var x = 0; x < Size; x++)
            {
                var (first, weights) = columns[x];
                for (var c = 0; c < 3; c++)
                    narrow[((((y - top) * Size) + x) * 3) + c] = Sum(image.Rgb, (((y * image.Width) + first) * 3) + c, 3, weights);
            }
        }

        var square = new byte[Size * Size * 3];
        for (var y = 0; y < Size; y++)
        {
            var (first, weights) = rows[y];
            for (var i = 0; i < Size * 3; i++) square[(y * Size * 3) + i] = Sum(narrow, ((first - top) * Size * 3) + i, Size * 3, weights);
        }

        return square;
    }

    private static byte Sum(byte[] values, int from, int stride, double[] weights)
    {
        var sum = 0.5;
        for (var i = 0; i < weights.Length; i++) sum += weights[i] * values[from + (i * stride)];
        return (byte)Math.Clamp(Math.Floor(sum), 0, 255);
    }

    private (int First, double[] Weights)[] Weights(int before, int after, int offset, Func<double, double> kernel, double support)
    {
        var scale = (double)before / after;
        var widening = Math.Max(scale, 1);
        return [.. Enumerable.Range(offset, Size).Select(i =>
        {
            var center = (i + 0.5) * scale;
            var first = Math.Max(0, (int)(center - (support * widening) + 0.5));
            var end = Math.Min(before, (int)(center + (support * widening) + 0.5));
            double[] weights = [.. Enumerable.Range(first, end - first).Select(j => kernel((j - center + 0.5) / widening))];
            var sum = weights.Sum();
            return (first, (double[])[.. weights.Select(weight => weight / sum)]);
        })];
    }

    private static double Cubic(double x)
    {
        x = Math.Abs(x);
        return x < 1 ? (((1.5 * x) - 2.5) * x * x) + 1 : x < 2 ? -0.5 * ((((x - 5) * x) + 8) * x - 4) : 0;
    }
}
