using JepaSharp.Runtime;

namespace JepaSharp.Evaluation;

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
