using System.Globalization;
using JepaSharp.Data;

namespace JepaSharp.Evaluation.Features;

/// <summary>The pixels themselves, in [0, 1]: the baseline that an encoder has to beat.</summary>
/// <remarks>Images of more than 32 pixels to a side are averaged down to 32 x 32 or fewer, so that closed-form probes stay possible: at most 3,072
/// numbers.</remarks>
public sealed class PixelFeatures : ImageFeatures
{
    private const int LargestSide = 32;

    private readonly int _size, _side;

    /// <summary>Pixels of square images.</summary>
    /// <param name="size">H = W of the images in pixels.</param>
    public PixelFeatures(int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        (_size, _side) = (size, Math.Min(size, LargestSide));
        Name = _side == size ? "raw pixels" : $"raw pixels, {_side}x{_side}";
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override int Width => 3 * _side * _side;

    /// <inheritdoc/>
    public override string Identity => string.Create(CultureInfo.InvariantCulture, $"pixels {_side}");

    /// <inheritdoc/>
    public override float[] Of(ImageBatch batch)
    {
        var values = new float[batch.Count * Width];
        for (var i = 0; i < batch.Count; i++) Average(batch.Pixels.AsSpan(i * 3 * _size * _size, 3 * _size * _size), values.AsSpan(i * Width, Width));
        return values;
    }

    /// <summary>Averages boxes of pixels; box r covers rows floor(r H / h) to ceil((r + 1) H / h) - 1.</summary>
    private void Average(ReadOnlySpan<byte> pixels, Span<float> values)
    {
        for (var row = 0; row < _side; row++)
        {
            var (top, bottom) = Range(row);
            for (var column = 0; column < _side; column++)
            {
                var (left, right) = Range(column);
                for (var c = 0; c < 3; c++)
                {
                    var sum = 0;
                    for (var y = top; y < bottom; y++)
                        for (var x = left; x < right; x++) sum += pixels[(3 * ((y * _size) + x)) + c];
                    values[(3 * ((row * _side) + column)) + c] = sum / (255f * (bottom - top) * (right - left));
                }
            }
        }
    }

    private (int From, int To) Range(int i) => (i * _size / _side, (((i + 1) * _size) + _side - 1) / _side);
}
