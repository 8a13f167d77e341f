using System.Globalization;
using JepaSharp.Data.Sources.Folders;

namespace JepaSharp.Data.Sources;

/// <summary>Classes made of the texts that images are labelled with.</summary>
/// <param name="Classes">The distinct texts: in numerical order where all are numbers, else in ordinal order.</param>
/// <param name="Labels">One an image: index of its text, or -1 where it has none.</param>
internal sealed record ClassLabels(IReadOnlyList<string> Classes, int[] Labels)
{
    /// <summary>No labels at all.</summary>
    public static ClassLabels None { get; } = new([], []);

    /// <summary>Classes of texts; null or empty for an image without label.</summary>
    public static ClassLabels Of(IReadOnlyList<string?> texts)
    {
        string[] classes = [.. texts.Where(t => !string.IsNullOrEmpty(t)).Distinct(StringComparer.Ordinal)!];
        if (classes.Length == 0) return None;
        var numbers =
            Array.ConvertAll(classes, c => double.TryParse(c, NumberStyles.Float, CultureInfo.InvariantCulture, out var n) ? n : double.NaN);
        if (numbers.Any(double.IsNaN)) Array.Sort(classes, StringComparer.Ordinal);
        else Array.Sort(numbers, classes);
        var index = classes.Index().ToDictionary(c => c.Item, c => c.Index, StringComparer.Ordinal);
        return new ClassLabels(classes, [.. texts.Select(t => string.IsNullOrEmpty(t) ? -1 : index[t])]);
    }

    /// <summary>An image's label.</summary>
    public int? Of(int index) => Labels.Length == 0 || Labels[index] < 0 ? null : Labels[index];

    /// <summary>Sentences on images without label, where only some are, and on classes that differ in next to nothing.</summary>
    public IEnumerable<string> Notices()
    {
        var missing = Labels.Count(l => l < 0);
        if (missing > 0) yield return $"{missing:N0} of {Labels.Length:N0} images {(missing == 1 ? "has" : "have")} no label.";
        foreach (var notice in LookAlikes.Notices(Classes)) yield return notice;
    }
}
