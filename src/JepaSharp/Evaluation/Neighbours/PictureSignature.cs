using System.Globalization;
using JepaSharp.Data;
using JepaSharp.Evaluation.Features;

namespace JepaSharp.Evaluation.Neighbours;

/// <summary>An image as a picture of 12 x 12 colours, less its mean and of length 1: the product of two is the correlation between the pictures,
/// which brightness and contrast do not change.</summary>
/// <remarks>What an encoder takes for the same, such as two shirts, differs here; near-duplicates agree in both.</remarks>
public sealed class PictureSignature : ImageFeatures
{
    private const int Side = 12;

    /// <inheritdoc/>
    public override string Name => "small pictures";

    /// <inheritdoc/>
    public override int Width => 3 * Side * Side;

    /// <inheritdoc/>
    public override string Identity => string.Create(CultureInfo.InvariantCulture, $"signature {Side}");

    /// <inheritdoc/>
    public override float[] Of(ImageBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var values = new float[batch.Count * Width];
        for (var i = 0; i < batch.Count; i++)
        {
            var into = values.AsSpan(i * Width, Width);
            Average(batch, i, into);
            Normalise(into);
        }

        return values;
    }

    /// <summary>The correlation of two pictures, -1 to 1; of two without any contrast, 1.</summary>
    internal static double Correlation(FeatureMatrix pictures, int row, FeatureMatrix others, int other)
    {
        var a = pictures.Row(row);
        var b = others.Row(other);
        double sum = 0, lengthOfA = 0, lengthOfB = 0;
        for (var d = 0; d < a.Length; d++)
        {
            sum += (double)a[d] * b[d];
            lengthOfA += (double)a[d] * a[d];
            lengthOfB += (double)b[d] * b[d];
        }

        return lengthOfA + lengthOfB == 0 ? 1 : sum;
    }

    private static void Average(ImageBatch batch, int image, Span<float> into)
    {
        var (side, start) = (batch.Width, 3 * image * batch.Width * batch.Height);
        for (var row = 0; row < Side; row++)
        {
            var (top, bottom) = Range(row, batch.Height);
            for (var column = 0; column < Side; column++)
            {
                var (left, right) = Range(column, side);
                for (var c = 0; c < 3; c++)
                {
                    var sum = 0;
                    for (var y = top; y < bottom; y++)
                        for (var x = left; x < right; x++) sum += batch.Pixels[start + (3 * ((y * side) + x)) + c];
                    into[(3 * ((row * Side) + column)) + c] = (float)sum / ((bottom - top) * (right - left));
                }
            }
        }
    }

    private static (int From, int To) Range(int i, int size) =>
        (Math.Min(i * size / Side, size - 1), Math.Max((((i + 1) * size) + Side - 1) / Side, Math.Min(i * size / Side, size - 1) + 1));

    private static void Normalise(Span<float> values)
    {
        double mean = 0, squares = 0;
        foreach (var value in values) mean += value / values.Length;
        foreach (var value in values) squares += (value - mean) * (value - mean);
        var scale = squares < 1e-3 ? 0 : 1 / Math.Sqrt(squares);
        for (var d = 0; d < values.Length; d++) values[d] = (float)((values[d] - mean) * scale);
    }
}
