namespace JepaSharp.Evaluation.Probes;

/// <summary>Features of each image less their own mean, and divided by their length: of an image by itself, so that nothing is learned from
/// others.</summary>
/// <remarks>As MSN's published logistic regression takes them (Assran et al., ECCV 2022). An image whose features are all the same is 0.</remarks>
internal static class UnitFeatures
{
    /// <summary>[n, D] -> [n, D].</summary>
    public static FeatureMatrix Of(FeatureMatrix features)
    {
        var values = new float[(long)features.Rows * features.Width];
        for (var i = 0; i < features.Rows; i++)
        {
            var row = features.Row(i);
            var place = values.AsSpan(i * features.Width, features.Width);
            double sum = 0, squares = 0;
            foreach (var value in row) sum += value;
            var mean = sum / row.Length;
            foreach (var value in row) squares += (value - mean) * (value - mean);
            if (squares <= 0) continue;
            var scale = 1 / Math.Sqrt(squares);
            for (var d = 0; d < row.Length; d++) place[d] = (float)((row[d] - mean) * scale);
        }

        return new FeatureMatrix(features.Rows, features.Width, values);
    }
}
