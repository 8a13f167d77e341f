using JepaSharp.Evaluation.Probes;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation;

/// <summary>Images to score on. All that can be done with them is to score a classifier that is already fitted.</summary>
/// <remarks>Neither features nor labels can be had from here, so nothing that fits, chooses a penalty or stops early can have seen them.</remarks>
public sealed class TestSet
{
    private readonly ClassificationSet _images;

    /// <summary>Seals a labelled set.</summary>
    public TestSet(ClassificationSet images) => _images = images;

    /// <summary>n, images.</summary>
    public int Count => _images.Count;

    /// <summary>Images of each class.</summary>
    public int[] ClassCounts() => _images.ClassCounts();

    /// <summary>How often a fitted classifier is right.</summary>
    /// <exception cref="JepaException">The classifier was fitted on features of another width.</exception>
    public ClassificationScore Score(Classifier fitted) => fitted.Score(_images);

    /// <summary>The same for classifiers by number of neighbours.</summary>
    internal IReadOnlyList<ClassificationScore> Score(Neighbourhood fitted, IReadOnlyList<int> neighbours) =>
        [.. fitted.Predict(_images.Features, neighbours).Select(labels => ClassificationScore.Of(labels, _images.Labels, _images.Classes))];
}

/// <summary>Images with a number each to score on. All that can be done with them is to score a regressor that is already fitted.</summary>
public sealed class RegressionTestSet
{
    private readonly RegressionSet _images;

    /// <summary>Seals a set.</summary>
    public RegressionTestSet(RegressionSet images) => _images = images;

    /// <summary>n, images.</summary>
    public int Count => _images.Count;

    /// <summary>How near a fitted regressor comes.</summary>
    /// <exception cref="JepaException">The regressor was fitted on features of another width.</exception>
    public RegressionScore Score(LinearRegressor fitted) => fitted.Score(_images);
}
