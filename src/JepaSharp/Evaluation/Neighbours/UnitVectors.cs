using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Neighbours;

/// <summary>Features less the mean of a set, each of length 1: the product of two is the cosine between their images.</summary>
/// <remarks>The mean goes first, because features of masked prediction have a large part in common, which makes all cosines alike. The mean of fewer
/// than 32 images says little of what they have in common, and nothing is subtracted.</remarks>
public sealed class UnitVectors
{
    private const int LeastToCentre = 32;
    private const double Nothing = 1e-6;

    private readonly double[] _centre;
    private readonly float[] _values;

    private UnitVectors(double[] centre, float[] values) => (_centre, _values) = (centre, values);

    /// <summary>n, images.</summary>
    public int Rows => _values.Length / Width;

    /// <summary>D, features an image.</summary>
    public int Width => _centre.Length;

    /// <summary>[n, D] row-major.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>One image: [D].</summary>
    public ReadOnlySpan<float> Row(int row) => _values.AsSpan(row * Width, Width);

    /// <summary>Of a set, by its own mean.</summary>
    /// <param name="set">[n, D].</param>
    public static UnitVectors Of(FeatureMatrix set)
    {
        ArgumentNullException.ThrowIfNull(set);
        var centre = set.Rows < LeastToCentre ? new double[set.Width] : FeatureMoments.Of(set).Mean;
        return new UnitVectors(centre, Normalised(set, centre));
    }

    /// <summary>Those that were kept.</summary>
    /// <param name="centre">[D], what was subtracted.</param>
    /// <param name="values">[n, D], of length 1 each.</param>
    internal static UnitVectors Kept(double[] centre, float[] values) => new(centre, values);

    /// <summary>What was subtracted: [D].</summary>
    internal ReadOnlySpan<double> Centre => _centre;

    /// <summary>Of other images, by this set's mean, so that they can be compared with it.</summary>
    /// <param name="queries">[m, D].</param>
    /// <exception cref="JepaException">They have another width.</exception>
    public UnitVectors Like(FeatureMatrix queries)
    {
        ArgumentNullException.ThrowIfNull(queries);
        queries.RequireWidth(Width);
        return new UnitVectors(_centre, Normalised(queries, _centre));
    }

    /// <summary>The cosine between an image of this set and one of another of the same mean.</summary>
    public double Cosine(int row, UnitVectors other, int otherRow)
    {
        ArgumentNullException.ThrowIfNull(other);
        var a = Row(row);
        var b = other.Row(otherRow);
        var sum = 0.0;
        for (var d = 0; d < a.Length; d++) sum += (double)a[d] * b[d];
        return sum;
    }

    /// <summary>Some of the images, by the same mean.</summary>
    internal UnitVectors Select(ReadOnlySpan<int> rows)
    {
        var selected = new float[rows.Length * Width];
        for (var i = 0; i < rows.Length; i++) Row(rows[i]).CopyTo(selected.AsSpan(i * Width, Width));
        return new UnitVectors(_centre, selected);
    }

    internal Tensor ToTensor(int first, int count)
    {
        NativeLibtorch.Load();
        return tensor(_values.AsSpan(first * Width, count * Width).ToArray(), [count, Width]);
    }

    /// <summary>As features again, for what takes those.</summary>
    internal FeatureMatrix ToMatrix() => new(Rows, Width, _values);

    private static float[] Normalised(FeatureMatrix features, double[] centre)
    {
        var unit = new float[(long)features.Rows * features.Width];
        for (var i = 0; i < features.Rows; i++)
        {
            var row = features.Row(i);
            double squares = 0, whole = 0;
            for (var d = 0; d < row.Length; d++)
            {
                squares += (row[d] - centre[d]) * (row[d] - centre[d]);
                whole += (double)row[d] * row[d];
            }

            // An image that is the mean itself, as all are of a set of equal ones, stays as it is: it is like its equals.
            var isMean = squares <= Nothing * Nothing * whole;
            var inverse = 1 / Math.Max(Math.Sqrt(isMean ? whole : squares), 1e-30);
            for (var d = 0; d < row.Length; d++) unit[(i * features.Width) + d] = (float)((row[d] - (isMean ? 0 : centre[d])) * inverse);
        }

        return unit;
    }
}
