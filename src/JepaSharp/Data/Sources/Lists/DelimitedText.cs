using System.Text;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Lists;

/// <summary>Rows of a CSV or TSV text (RFC 4180): fields may stand in double quotes and then hold the delimiter, line ends and doubled
/// quotes.</summary>
/// <param name="text">The text.</param>
/// <param name="delimiter">What separates fields.</param>
/// <param name="name">What messages call the text.</param>
internal sealed class DelimitedText(TextReader text, char delimiter, string name) : IRowReader
{
    private const int LongestField = 1 << 20;

    private readonly StringBuilder _field = new();

    /// <summary>Line that the latest row began on, from 1.</summary>
    public int Line { get; private set; }

    private int _nextLine = 1;

    /// <summary>The next row that is not blank, or null at the end.</summary>
    /// <exception cref="JepaException">A quote is never closed, or a field is longer than a path or a label can be.</exception>
    public List<string>? Next()
    {
        while (text.Peek() >= 0)
        {
            Line = _nextLine;
            var row = ReadRow();
            if (row.Count > 1 || row[0].Length > 0) return row;
        }

        return null;
    }

    private List<string> ReadRow()
    {
        var row = new List<string>();
        while (true)
        {
            var end = text.Peek() == '"' ? ReadQuoted() : ReadPlain();
            row.Add(_field.ToString());
            if (end != delimiter) return row;
        }
    }

    /// <summary>Reads to a delimiter or a line's end, and says which: a delimiter, '\n' or -1.</summary>
    private int ReadPlain(bool keeps = false)
    {
        if (!keeps) _field.Clear();
        while (true)
        {
            var next = text.Read();
            if (next == '\r' && text.Peek() is '\n' or -1) continue;
            if (next == '\n') _nextLine++;
            if (next == delimiter || next is '\n' or -1) return next;
            Append((char)next);
        }
    }

    private int ReadQuoted()
    {
        _field.Clear();
        text.Read();
        while (true)
        {
            var next = text.Read();
            if (next < 0)
                throw new JepaException(
                    $"{name}: the row at line {Line:N0} opens a quote that is never closed. Close it, or double quotes that belong to the text.",
                    isUsage: true);
            if (next == '\n') _nextLine++;
            if (next != '"') Append((char)next);
            else if (text.Peek() == '"') Append((char)text.Read());
            else return ReadPlain(keeps: true);
        }
    }

    private void Append(char next)
    {
        if (next == '\0' || _field.Length == LongestField)
            throw new JepaException(
                $"{name}: a field at line {Line:N0} is {(next == '\0' ? "not text" : $"longer than {LongestField:N0} characters")}. Expected a CSV "
                    + $"or TSV list of images.", isUsage: true);
        _field.Append(next);
    }
}

/// <summary>Gives the rows of a text one after the other.</summary>
internal interface IRowReader
{
    /// <summary>Line that the latest row began on, from 1.</summary>
    int Line { get; }

    /// <summary>The next row that is not blank, or null at the end.</summary>
    List<string>? Next();
}

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
