namespace JepaSharp.Evaluation.Features;

/// <summary>Two kinds of features of the same images side by side, so that a probe can use what either knows.</summary>
/// <remarks>Every feature is standardised by the images to fit on, and each kind divided by the root of its width: both then have the same say in a
/// distance, however many numbers they are.</remarks>
public static class JoinedFeatures
{
    /// <summary>Of images to fit on [n, D] and [n, E], and of test images [m, D] and [m, E] -> [n, D + E] and [m, D + E].</summary>
    /// <param name="first">One kind, to fit on and to score on.</param>
    /// <param name="second">The other, of the same images.</param>
    /// <exception cref="ArgumentException">The kinds are not of the same images.</exception>
    public static (PooledFeatures Fit, PooledFeatures Test) Of(
        (PooledFeatures Fit, PooledFeatures Test) first, (PooledFeatures Fit, PooledFeatures Test) second)
    {
        if (!first.Fit.Indices.AsSpan().SequenceEqual(second.Fit.Indices) || !first.Test.Indices.AsSpan().SequenceEqual(second.Test.Indices))
            throw new ArgumentException("Features of different images cannot stand side by side.", nameof(second));
        var (one, other) = (FeatureMoments.Of(first.Fit.Matrix), FeatureMoments.Of(second.Fit.Matrix));
        return (Join(first.Fit, second.Fit), Join(first.Test, second.Test));

        PooledFeatures Join(PooledFeatures a, PooledFeatures b) => a with { Matrix = SideBySide((a.Matrix, one), (b.Matrix, other)) };
    }

    private static FeatureMatrix SideBySide((FeatureMatrix Of, FeatureMoments By) a, (FeatureMatrix Of, FeatureMoments By) b)
    {
        var width = a.Of.Width + b.Of.Width;
        var values = new float[(long)a.Of.Rows * width];
        Write(a, 0);
        Write(b, a.Of.Width);
        return new FeatureMatrix(a.Of.Rows, width, values);

        void Write((FeatureMatrix Of, FeatureMoments By) kind, int from)
        {
            var (inverse, share) = (kind.By.InverseDeviation(), 1 / Math.Sqrt(kind.Of.Width));
            for (var row = 0; row < kind.Of.Rows; row++)
            {
                var features = kind.Of.Row(row);
                var place = values.AsSpan((row * width) + from, kind.Of.Width);
                for (var d = 0; d < place.Length; d++) place[d] = (float)((features[d] - kind.By.Mean[d]) * inverse[d] * share);
            }
        }
    }
}
