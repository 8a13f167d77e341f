namespace JepaSharp.Evaluation.Probes;

/// <summary>The baseline that every probe must beat: answers the commonest class of the fit data, whatever the image.</summary>
public static class MajorityProbe
{
    /// <summary>Counts the classes of <paramref name="fit"/>; of several commonest, the first.</summary>
    public static Classifier Fit(ClassificationSet fit)
    {
        var counts = fit.ClassCounts();
        return new Constant(counts.IndexOf(counts.Max()));
    }

    private sealed class Constant(int label) : Classifier
    {
        public override int[] Predict(FeatureMatrix features)
        {
            var labels = new int[features.Rows];
            labels.AsSpan().Fill(label);
            return labels;
        }
    }
}
