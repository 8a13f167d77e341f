namespace JepaSharp.Data.Sources.Lists;

/// <summary>Rows of <c>path label</c> as Places205 and many lists of its time have them: what stands behind the last space is the label.</summary>
/// <param name="text">The text.</param>
internal sealed class SpacedText(TextReader text) : IRowReader
{
    /// <inheritdoc/>
    public int Line { get; private set; }

    /// <summary>The next row that is not blank: a path, which may hold spaces, and a label.</summary>
    public List<string>? Next()
    {
        while (text.ReadLine() is { } line)
        {
            Line++;
            if (line.Trim() is { Length: > 0 } row) return Split(row);
        }

        return null;
    }

    private static List<string> Split(string row)
    {
        var space = row.LastIndexOf(' ');
        return space < 0 ? [row] : [row[..space].TrimEnd(), row[(space + 1)..]];
    }
}
