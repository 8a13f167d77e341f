using System.Globalization;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Targets;

/// <summary>The class of each image of a source as a text, so that the classes of two sources can be matched by name; null for an image without
/// one.</summary>
public static class ClassTexts
{
    /// <summary>Numbers with more distinct values than this are no classes.</summary>
    public const int MostWholeNumbers = 50;

    /// <summary>The classes that a source's images are labelled with.</summary>
    /// <exception cref="JepaException">The source has none.</exception>
    public static string?[] Labels(ImageSource source)
    {
        if (source.Classes.Count == 0)
            throw new JepaException(
                $"{source.Origin.Description} has no labels (none of its {source.Origin.Count:N0} images), and this task needs them. "
                    + $"{WhyNone(source)}"
                + "Give class folders, a list with a label column, or name the column: PATH#label=COLUMN"
                + (source.Columns.Count > 0
                ? $" (it has the numbers {string.Join(", ", source.Columns)}; 'jepa evaluate count --column NAME' takes one)." : "."),
                isUsage: true);
        return [.. Enumerable.Range(0, source.Count).Select(i => source.LabelOf(i) is { } label ? source.Classes[label] : null)];
    }

    private static string WhyNone(ImageSource source) =>
        source.Notices.FirstOrDefault(n => n.StartsWith("there are no classes", StringComparison.Ordinal)) is { } why
            ? $"{char.ToUpperInvariant(why[0])}{why[1..]} "
            : "";

    /// <summary>Numbers as classes: VTAB's bins for the distance of scenes, else whole numbers of few values.</summary>
    /// <param name="values">The numbers of one column.</param>
    /// <param name="column">Its name.</param>
    /// <param name="isOfScenes">Whether it is a column of rendered or CLEVR scenes.</param>
    /// <returns>null where the numbers are no classes.</returns>
    public static string?[]? Numbers(double?[] values, string column, bool isOfScenes)
    {
        if (isOfScenes && column == SceneColumns.Distance)
            return [.. values.Select(
                v => v is { } depth ? SceneTargets.NearestDistanceClasses[SceneTargets.NearestDistanceClass((float)depth)] : null)];
        var distinct = values.Where(v => v is not null).Distinct().ToList();
        return distinct.Count <= MostWholeNumbers && distinct.TrueForAll(v => v == Math.Round(v!.Value))
            ? [.. values.Select(v => v?.ToString(CultureInfo.InvariantCulture))]
            : null;
    }
}
