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

/// <summary>A fitted probe that names a class for an image's features. It has seen fit data alone; test data is first met by
/// <see cref="Score"/>.</summary>
public abstract class Classifier
{
    /// <summary>Names a class for each image.</summary>
    /// <param name="features">[n, D], of the width fitted on.</param>
    /// <returns>[n] labels.</returns>
    /// <exception cref="Runtime.JepaException">The features are of another width.</exception>
    public abstract int[] Predict(FeatureMatrix features);

    /// <summary>Predicts a test set and compares.</summary>
    public ClassificationScore Score(ClassificationSet test) => ClassificationScore.Of(Predict(test.Features), test.Labels, test.Classes);
}
