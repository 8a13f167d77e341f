using System.Runtime.InteropServices;
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
            throw new ArgumentException(
                $"{rows} rows of {width} features need {(long)rows * width} values; found {values.LongLength}.", nameof(values));
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
        return new FeatureMatrix(
            (int)features.shape[0], (int)features.shape[1], features.detach().to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray());
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

    /// <summary>A new float32 tensor of rows <paramref name="first"/> to <paramref name="first"/> + <paramref name="count"/> - 1: [count,
    /// D].</summary>
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
        if (Width != width)
            throw new JepaException(
                $"Found {Width} features an image; the probe was fitted on {width}. Use the same encoder and pooling for both.", isUsage: true);
    }
}

/// <summary>Finds images that are both fitted on and scored on, by their features: equal images have equal ones.</summary>
public static class SharedImages
{
    /// <summary>A sentence for the user, or null where no image is on both sides.</summary>
    /// <param name="fit">[n, D].</param>
    /// <param name="test">[m, D].</param>
    /// <exception cref="JepaException">All test images are among those to fit on.</exception>
    public static string? Note(FeatureMatrix fit, FeatureMatrix test)
    {
        var known = new HashSet<ulong>(Enumerable.Range(0, fit.Rows).Select(row => Hash(fit.Row(row))));
        var tested = Enumerable.Range(0, test.Rows).Select(row => Hash(test.Row(row))).ToList();
        var same = tested.Count(known.Contains);
        if (same == 0) return null;
        if (same == test.Rows && tested.Distinct().Skip(1).Any()) // features that are all equal say nothing of images
            throw new JepaException(
                $"All {same:n0} test images are also among the images to fit on: a probe knows those, so the result would mean nothing. Give other "
                    + $"images to --test.", isUsage: true);
        return $"{same:n0} of {test.Rows:n0} test images {(same == 1 ? "looks" : "look")} exactly like an image to fit on: results are too good by "
            + "that much.";
    }

    /// <summary>FNV-1a over the bits, 64 bits wide.</summary>
    private static ulong Hash(ReadOnlySpan<float> row)
    {
        var hash = 14695981039346656037UL;
        foreach (var bits in MemoryMarshal.Cast<float, uint>(row)) hash = (hash ^ bits) * 1099511628211UL;
        return hash ^ (hash >> 29);
    }
}

/// <summary>Mean and population standard deviation of each feature over the images: both [D], in double precision.</summary>
internal sealed record FeatureMoments(double[] Mean, double[] Deviation)
{
    /// <summary>Relative deviation below which a float32 feature is taken for a constant.</summary>
    private const double Constant = 1e-6;

    public static FeatureMoments Of(FeatureMatrix features)
    {
        var mean = new double[features.Width];
        for (var row = 0; row < features.Rows; row++)
        {
            var values = features.Row(row);
            for (var d = 0; d < mean.Length; d++) mean[d] += values[d];
        }

        for (var d = 0; d < mean.Length; d++) mean[d] /= features.Rows;
        var deviation = new double[features.Width];
        for (var row = 0; row < features.Rows; row++)
        {
            var values = features.Row(row);
            for (var d = 0; d < mean.Length; d++) deviation[d] += (values[d] - mean[d]) * (values[d] - mean[d]);
        }

        for (var d = 0; d < mean.Length; d++) deviation[d] = Math.Sqrt(deviation[d] / features.Rows);
        return new FeatureMoments(mean, deviation);
    }

    /// <summary>1 / deviation of each feature; 0, which leaves the feature out, where it is constant but for rounding.</summary>
    public double[] InverseDeviation()
    {
        var inverse = new double[Deviation.Length];
        for (var d = 0; d < inverse.Length; d++) inverse[d] = Deviation[d] > Constant * Math.Abs(Mean[d]) ? 1 / Deviation[d] : 0;
        return inverse;
    }
}

/// <summary>Features and a number for each image: what a regressing probe is fitted or scored on.</summary>
public sealed class RegressionSet
{
    private readonly double[] _values;

    /// <summary>Pairs features with numbers; the array must not be written to afterwards.</summary>
    /// <param name="features">[n, D].</param>
    /// <param name="values">[n], finite: a count, a distance.</param>
    /// <exception cref="JepaException">A value is not finite, or there is not one for each image.</exception>
    public RegressionSet(FeatureMatrix features, double[] values)
    {
        if (values.Length != features.Rows)
            throw new JepaException($"Found {values.Length} values for {features.Rows} images; expected one for each.", isUsage: true);
        var bad = Array.FindIndex(values, value => !double.IsFinite(value));
        if (bad >= 0) throw new JepaException($"The value of image {bad} is {values[bad]}; expected a finite number.", isUsage: true);
        (Features, _values) = (features, values);
    }

    /// <summary>[n, D].</summary>
    public FeatureMatrix Features { get; }

    /// <summary>[n].</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>n, images.</summary>
    public int Count => _values.Length;

    /// <summary>The given images, in the given order.</summary>
    public RegressionSet Select(ReadOnlySpan<int> rows)
    {
        var values = new double[rows.Length];
        for (var i = 0; i < rows.Length; i++) values[i] = _values[rows[i]];
        return new RegressionSet(Features.Select(rows), values);
    }
}
