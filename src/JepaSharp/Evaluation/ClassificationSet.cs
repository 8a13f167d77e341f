using JepaSharp.Data.Loading;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation;

/// <summary>Features and a class for each image: what a classifying probe is fitted or scored on.</summary>
public sealed class ClassificationSet
{
    private readonly int[] _labels;

    /// <summary>Pairs features with labels; the array must not be written to afterwards.</summary>
    /// <param name="features">[n, D].</param>
    /// <param name="labels">[n], each in 0 to <paramref name="classes"/> - 1.</param>
    /// <param name="classes">Number of classes, at least 2; some may have no image here.</param>
    /// <exception cref="JepaException">Fewer than two classes, a label out of range, or not one label for each image.</exception>
    public ClassificationSet(FeatureMatrix features, int[] labels, int classes)
    {
        if (classes < 2) throw new JepaException($"Found {classes} class; a classifying probe needs at least 2.", isUsage: true);
        if (labels.Length != features.Rows)
            throw new JepaException($"Found {labels.Length} labels for {features.Rows} images; expected one for each.", isUsage: true);
        foreach (var label in labels)
            if ((uint)label >= (uint)classes) throw new JepaException($"Found the label {label}; expected 0 to {classes - 1}.", isUsage: true);
        (Features, _labels, Classes) = (features, labels, classes);
    }

    /// <summary>[n, D].</summary>
    public FeatureMatrix Features { get; }

    /// <summary>[n], each in 0 to <see cref="Classes"/> - 1.</summary>
    public ReadOnlySpan<int> Labels => _labels;

    /// <summary>Number of classes.</summary>
    public int Classes { get; }

    /// <summary>n, images.</summary>
    public int Count => _labels.Length;

    /// <summary>The given images, in the given order.</summary>
    public ClassificationSet Select(ReadOnlySpan<int> rows)
    {
        var labels = new int[rows.Length];
        for (var i = 0; i < rows.Length; i++) labels[i] = _labels[rows[i]];
        return new ClassificationSet(Features.Select(rows), labels, Classes);
    }

    /// <summary>Images of each class: [<see cref="Classes"/>].</summary>
    public int[] ClassCounts()
    {
        var counts = new int[Classes];
        foreach (var label in _labels) counts[label]++;
        return counts;
    }

    /// <summary>Throws unless there are images of at least two classes, without which nothing can be fitted.</summary>
    internal ClassificationSet RequireFittable()
    {
        var counts = ClassCounts();
        if (counts.Count(count => count > 0) < 2)
            throw new JepaException(
                $"Images to fit on are of class {counts.IndexOf(Count)} alone ({Quantity.Of(Count, "image")}); a classifying probe needs images of "
                    + "at least 2 classes.",
                isUsage: true);
        return this;
    }
}

/// <summary>How often a probe named the right class.</summary>
/// <param name="Accuracy">Share of images, 0 to 1.</param>
/// <param name="MeanPerClassAccuracy">Mean over the classes that occur of each one's share, 0 to 1.</param>
/// <param name="Images">Images scored.</param>
/// <param name="ClassesSeen">Classes that occur among them.</param>
public sealed record ClassificationScore(double Accuracy, double MeanPerClassAccuracy, int Images, int ClassesSeen)
{
    /// <summary>The images that were to be scored and could not be read, where the images themselves were scored; null where all could.</summary>
    public LeftOutImages? LeftOut { get; init; }

    /// <summary>Compares predictions with the truth, both [n].</summary>
    internal static ClassificationScore Of(ReadOnlySpan<int> predicted, ReadOnlySpan<int> truth, int classes)
    {
        var (right, all) = (new int[classes], new int[classes]);
        for (var i = 0; i < truth.Length; i++)
        {
            all[truth[i]]++;
            if (predicted[i] == truth[i]) right[truth[i]]++;
        }

        var seen = Enumerable.Range(0, classes).Where(c => all[c] > 0).ToArray();
        return new ClassificationScore((double)right.Sum() / truth.Length, seen.Average(c => (double)right[c] / all[c]), truth.Length, seen.Length);
    }
}

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
