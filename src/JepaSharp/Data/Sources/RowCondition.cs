using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>A condition on a column: its text is one of the values, or none of them.</summary>
/// <param name="Column">Name of the column.</param>
/// <param name="Values">Texts to compare with, exactly.</param>
/// <param name="IsNegated">Whether the text must be none of them.</param>
internal sealed record RowCondition(string Column, IReadOnlyList<string> Values, bool IsNegated)
{
    /// <summary>Reads <c>COLUMN=VALUE</c>, <c>COLUMN!=VALUE</c> or <c>COLUMN=ONE|OTHER</c>.</summary>
    /// <exception cref="JepaException">It is neither.</exception>
    public static RowCondition Parse(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var isNegated = equals > 0 && text[equals - 1] == '!';
        var column = equals < 0 ? "" : text[..(isNegated ? equals - 1 : equals)];
        if (column.Length == 0) throw new JepaException($"where={text} is no condition. Write where=COLUMN=VALUE, or where=COLUMN!=VALUE; several values are separated by '|'.", isUsage: true);
        return new RowCondition(column, text[(equals + 1)..].Split('|'), isNegated);
    }

    /// <summary>Whether a row's text in the column meets the condition.</summary>
    public bool Holds(string value) => Values.Contains(value, StringComparer.Ordinal) != IsNegated;
}
