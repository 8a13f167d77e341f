using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation;

/// <summary>Frozen features, one row an image: float32 [n, D], row-major, every value finite.</summary>
public sealed class FeatureMatrix
{
    private readonly float[] _values;

    /// <summary>Takes over <paramref name="values"/>, which must not be written to afterwards.</summary>
    /// <param name="rows">n, at least 1.</param>
    /// <param name="width">D, at least 1.</param>
    /// <param name="values">[n, D] row-major.</param>
    /// <exception cref="ArgumentException">A side is not positive, or there are not n * D values.</exception>
    /// <exception cref="JepaException">A value is not a finite number.</exception>
    public FeatureMatrix(int rows, int width, float[] values)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        if (values.LongLength != (long)rows * width)
            throw new ArgumentException($"{rows} rows of {width} features need {(long)rows * width} values; found {values.LongLength}.", nameof(values));
        for (var i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
                throw new JepaException(
                    $"Feature {i % width} of image {i / width} is {values[i]}; expected finite numbers. "
                    + "The encoder has diverged, or its weights are damaged: use an earlier checkpoint.");
        }

        (Rows, Width, _values) = (rows, width, values);
    }

    /// <summary>n, images.</summary>
    public int Rows { get; }

    /// <summary>D, features an image.</summary>
    public int Width { get; }

    /// <summary>All features: [n, D] row-major.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>Features of one image: [D].</summary>
    public ReadOnlySpan<float> Row(int row) => _values.AsSpan(row * Width, Width);

    /// <summary>A copy of a tensor [n, D] of any floating type on any device.</summary>
    /// <exception cref="ArgumentException">The tensor does not have two dimensions.</exception>
    /// <exception cref="JepaException">A value is not a finite number.</exception>
    public static FeatureMatrix FromTensor(Tensor features)
    {
        if (features.dim() != 2) throw new ArgumentException($"Found a tensor of {features.dim()} dimensions; expected [n, D].", nameof(features));
        using var scope = NewDisposeScope();
        return new FeatureMatrix((int)features.shape[0], (int)features.shape[1], features.detach().to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray());
    }

    /// <summary>A copy of the given rows, in the given order: [rows.Length, D].</summary>
    public FeatureMatrix Select(ReadOnlySpan<int> rows)
    {
        var selected = new float[rows.Length * Width];
        for (var i = 0; i < rows.Length; i++) Row(rows[i]).CopyTo(selected.AsSpan(i * Width, Width));
        return new FeatureMatrix(rows.Length, Width, selected);
    }

    /// <summary>A copy of neighbouring columns: [n, count].</summary>
    public FeatureMatrix Columns(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + count, Width);
        var selected = new float[Rows * count];
        for (var i = 0; i < Rows; i++) Row(i).Slice(first, count).CopyTo(selected.AsSpan(i * count, count));
        return new FeatureMatrix(Rows, count, selected);
    }

    /// <summary>A new float32 tensor of rows <paramref name="first"/> to <paramref name="first"/> + <paramref name="count"/> - 1: [count, D].</summary>
    internal Tensor ToTensor(int first, int count)
    {
        NativeLibtorch.Load();
        return tensor(_values.AsSpan(first * Width, count * Width).ToArray(), [count, Width]);
    }

    internal Tensor ToTensor()
    {
        NativeLibtorch.Load();
        return tensor(_values, [Rows, Width]);
    }

    /// <summary>Throws if features of another width are given to a probe fitted on this width.</summary>
    internal void RequireWidth(int width)
    {
        if (Width != width) throw new JepaException($"Found {Width} features an image; the probe was fitted on {width}. Use the same encoder and pooling for both.", isUsage: true);
    }
}
