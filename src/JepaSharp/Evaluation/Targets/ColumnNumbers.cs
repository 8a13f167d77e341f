using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Targets;

/// <summary>The numbers of one column of a source.</summary>
public static class ColumnNumbers
{
    /// <summary>One an image; null where it has none.</summary>
    /// <exception cref="JepaException">There is no such column, or no image has a number in it.</exception>
    public static double?[] Of(ImageSource source, string column)
    {
        if (!source.Columns.Contains(column, StringComparer.Ordinal))
            throw new JepaException(
                source.Columns.Count == 0
                    ? $"{source.Description} has no numbers to predict. Expected scenes (count, distance) or a list with a column of numbers."
                    : $"{source.Description} has no column \"{column}\". Its columns of numbers: {string.Join(", ", source.Columns)}. Give one with "
                        + $"--column.",
                isUsage: true);
        double?[] values = [.. Enumerable.Range(0, source.Count).Select(i => source.ValueOf(i, column))];
        return Array.Exists(values, v => v is not null) ? values : throw new JepaException(
            $"No image of {source.Description} has a number in \"{column}\".", isUsage: true);
    }
}
