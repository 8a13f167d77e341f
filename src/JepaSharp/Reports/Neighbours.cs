using JepaSharp.Evaluation;

namespace JepaSharp.Reports;

/// <summary>For some images, the others whose features are nearest.</summary>
internal static class Neighbours
{
    /// <summary>Rows of the nearest by cosine, of features from which the mean over all images was taken: nearest first, the image itself left out.</summary>
    /// <param name="features">[n, D].</param>
    /// <param name="query">A row.</param>
    /// <param name="count">How many.</param>
    public static IReadOnlyList<(int Row, double Cosine)> Of(FeatureMatrix features, int query, int count)
    {
        var mean = new double[features.Width];
        for (var row = 0; row < features.Rows; row++)
            for (var d = 0; d < mean.Length; d++) mean[d] += features.Row(row)[d] / (double)features.Rows;
        return [.. Enumerable.Range(0, features.Rows).Where(row => row != query)
            .Select(row => (Row: row, Cosine: Cosine(features.Row(query), features.Row(row), mean)))
            .OrderByDescending(n => n.Cosine).ThenBy(n => n.Row).Take(count)];
    }

    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b, double[] mean)
    {
        double product = 0, squaresA = 0, squaresB = 0;
        for (var d = 0; d < mean.Length; d++)
        {
            var (x, y) = (a[d] - mean[d], b[d] - mean[d]);
            product += x * y;
            squaresA += x * x;
            squaresB += y * y;
        }

        return product / Math.Max(Math.Sqrt(squaresA * squaresB), 1e-12);
    }
}
