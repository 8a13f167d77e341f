namespace JepaSharp.Evaluation;

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
