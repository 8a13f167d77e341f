namespace JepaSharp.Evaluation.Probes;

/// <summary>A fitted probe that names a class for an image's features. It has seen fit data alone; test data is first met by <see cref="Score"/>.</summary>
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
