using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Heads;

/// <summary>Labelled images that can be read: as pixels and as a frozen encoder's features, row by row the same.</summary>
/// <param name="Images">The images; row i is image i of its source.</param>
/// <param name="Set">Their features and classes.</param>
public sealed record HeadImages(LabelledImages Images, ClassificationSet Set)
{
    /// <summary>Those of a source that have a label and could be read.</summary>
    /// <param name="source">The images; not owned.</param>
    /// <param name="features">Of the images that could be read.</param>
    /// <param name="texts">The class of each image of the source; null for an image without one.</param>
    /// <param name="classes">Class names, in the order of the labels.</param>
    /// <exception cref="JepaException">None has a label and can be read, or one is of another class.</exception>
    public static HeadImages Of(ImageSource source, PooledFeatures features, IReadOnlyList<string?> texts, IReadOnlyList<string> classes)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(texts);
        var index = classes.Index().ToDictionary(c => c.Item, c => c.Index, StringComparer.Ordinal);
        int[] rows = [.. Enumerable.Range(0, features.Indices.Length).Where(row => texts[features.Indices[row]] is not null)];
        if (rows.Length == 0) throw new JepaException("None of the labelled images can be read.", isUsage: true);
        int[] images = [.. rows.Select(row => features.Indices[row])];
        int[] labels = [.. images.Select(image => index.TryGetValue(texts[image]!, out var label)
            ? label
            : throw new JepaException(
                $"{source.NameOf(image)} is of the class \"{texts[image]}\", which is none of those to fit on: {string.Join(", ", classes.Take(8))}.",
                isUsage: true))];
        return new HeadImages(
            new LabelledImages(new ChosenImages(source, images), labels, classes.Count),
            new ClassificationSet(features.Matrix.Select(rows), labels, classes.Count));
    }

    /// <summary>The given rows, which must be ascending.</summary>
    public HeadImages Select(ReadOnlySpan<int> rows) => new(Images.Select(rows), Set.Select(rows));
}
