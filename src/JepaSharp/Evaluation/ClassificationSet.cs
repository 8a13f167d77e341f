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
            throw new JepaException($"All {Count} images to fit on are of class {counts.IndexOf(Count)}; a classifying probe needs images of at least 2 classes.", isUsage: true);
        return this;
    }
}
