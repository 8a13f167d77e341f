using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation;

/// <summary>The directions in which features vary most: eigenvectors of their covariance, the largest eigenvalue first.</summary>
/// <remarks>
/// Signs are free in theory; here the entry of largest size is positive, so that the same features give the same axes, and pictures the same colours.
/// </remarks>
public sealed class PrincipalComponents
{
    private readonly double[] _mean;
    private readonly double[][] _axes;

    private PrincipalComponents(double[] mean, double[][] axes, double[] variances, double total) =>
        (_mean, _axes, Variances, TotalVariance) = (mean, axes, variances, total);

    /// <summary>Variance along each axis (population, over the rows fitted): [k], falling.</summary>
    public IReadOnlyList<double> Variances { get; }

    /// <summary>Variance along all axes together, those not kept included.</summary>
    public double TotalVariance { get; }

    /// <summary>Axis <paramref name="component"/>: [D], of unit length.</summary>
    public ReadOnlySpan<double> Axis(int component) => _axes[component];

    /// <summary>Finds the first components of features [n, D].</summary>
    /// <param name="features">The rows.</param>
    /// <param name="count">k, at most D.</param>
    public static PrincipalComponents Fit(FeatureMatrix features, int count)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, features.Width);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var rows = features.ToTensor().to(ScalarType.Float64);
        var mean = rows.mean([0L]);
        var centred = rows.Subtract(mean);
        var covariance = centred.t().mm(centred).Multiply(1.0 / features.Rows);
        var (values, vectors) = linalg.eigh(covariance); // ascending; vectors in columns
        var variances = values.data<double>().ToArray();
        var columns = vectors.t().contiguous().data<double>().ToArray();
        double[][] axes =
            [.. Enumerable.Range(1, count).Select(k => Upright(columns.AsSpan((features.Width - k) * features.Width, features.Width).ToArray()))];
        return new PrincipalComponents(
            mean.data<double>().ToArray(), axes, [.. variances.Reverse().Take(count).Select(v => Math.Max(0, v))],
            variances.Sum(v => Math.Max(0, v)));
    }

    /// <summary>Coordinates of a row [D] along the axes: [k].</summary>
    /// <exception cref="ArgumentException">The row has another width than those fitted.</exception>
    public double[] Project(ReadOnlySpan<float> row)
    {
        if (row.Length != _mean.Length) throw new ArgumentException($"Found a row of {row.Length}; expected {_mean.Length}.", nameof(row));
        var coordinates = new double[_axes.Length];
        for (var k = 0; k < coordinates.Length; k++)
            for (var d = 0; d < row.Length; d++) coordinates[k] += (row[d] - _mean[d]) * _axes[k][d];
        return coordinates;
    }

    private static double[] Upright(double[] axis)
    {
        var largest = axis.MaxBy(Math.Abs);
        if (largest < 0)
            for (var d = 0; d < axis.Length; d++) axis[d] = -axis[d];
        return axis;
    }
}
