using System.Globalization;
using Spectre.Console;

namespace JepaSharp.Cli.Display;

/// <summary>A table of results: with borders on a terminal, aligned by spaces elsewhere. Columns of numbers are set to the right.</summary>
/// <param name="title">A line above the table, or null.</param>
/// <param name="columns">Heads of the columns.</param>
internal sealed class ResultTable(string? title, params IReadOnlyList<string> columns)
{
    private readonly List<IReadOnlyList<string>> _rows = [];

    /// <summary>Adds a row, one text a column.</summary>
    public ResultTable Add(params IReadOnlyList<string> cells)
    {
        if (cells.Count != columns.Count)
            throw new ArgumentException($"A row has {cells.Count} cells; the table has {columns.Count} columns.", nameof(cells));
        _rows.Add([.. cells.Select(cell => Printable.Of(cell))]);
        return this;
    }

    /// <summary>Writes the table to the terminal's results.</summary>
    public void Print(Terminal terminal)
    {
        if (terminal.OutIsTerminal) PrintPretty(terminal.Pretty());
        else PrintPlain(terminal.Out);
    }

    private void PrintPretty(IAnsiConsole console)
    {
        var table = new Table { Border = TableBorder.Rounded };
        if (title is not null) table.Title = new TableTitle(Markup.Escape(title));
        for (var c = 0; c < columns.Count; c++)
            table.AddColumn(new TableColumn(new Text(columns[c], new Style(decoration: Decoration.Bold)))
            {
                Alignment = IsNumeric(c)
                ? Justify.Right : Justify.Left
            });
        foreach (var row in _rows) table.AddRow(row.Select(cell => new Text(cell)));
        console.Write(table);
    }

    private void PrintPlain(TextWriter output)
    {
        var widths = columns.Select((head, c) => _rows.Select(r => r[c].Length).Append(head.Length).Max()).ToArray();
        if (title is not null) output.WriteLine(title);
        foreach (var row in _rows.Prepend(columns))
            output.WriteLine(string.Join("  ", row.Select((cell, c) => IsNumeric(c) ? cell.PadLeft(widths[c]) : cell.PadRight(widths[c]))).TrimEnd());
    }

    private bool IsNumeric(int column) => _rows.Count > 0 && _rows.All(r => r[column] is "" or "-" || IsNumber(r[column]));

    private static bool IsNumber(string cell) =>
        double.TryParse(cell.TrimEnd('%', ' ', 'x'), NumberStyles.Float | NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out _);
}
