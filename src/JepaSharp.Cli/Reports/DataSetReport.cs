using System.Globalization;
using JepaSharp.Cli.Display;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Reports;

/// <summary>What a set of images holds, as <c>jepa inspect</c> prints it: counts, classes, sizes, formats, broken files.</summary>
internal static class DataSetReport
{
    private const int ShownClasses = 20, ShownColumns = 12, ShownBroken = 10;

    /// <summary>Prints the report.</summary>
    /// <param name="source">The images.</param>
    /// <param name="terminal">Where to.</param>
    /// <param name="all">Whether to decode every image rather than read the headers of some.</param>
    /// <param name="cancellation">Ends the decoding of every image.</param>
    /// <returns>How many images could not be read.</returns>
    public static int Print(ImageSource source, Terminal terminal, bool all = false, CancellationToken cancellation = default)
    {
        var output = terminal.Out;
        output.WriteLine(source.Description);
        var classes = source.Classes.Count == 0 ? "no classes" : Quantity.Of(source.Classes.Count, "class", "classes");
        output.WriteLine($"{Quantity.Of(source.Count, "image")}, {classes}");
        if (source.Sum is { } sum && !source.Notices.Contains(sum)) output.WriteLine(sum);
        foreach (var notice in source.Notices) output.WriteLine("note: " + notice);
        PrintClasses(source, terminal);
        PrintColumns(source, terminal);
        var check = ImageCheck.Of(source, all, terminal, cancellation);
        output.WriteLine();
        var how =
            all ? "decoded" : check.Looked < source.Count ? "looked at by their headers, drawn from all over the set" : "looked at by their headers";
        output.WriteLine($"{Quantity.Of(check.Looked, "image")} {how}");
        output.WriteLine("formats: " + (check.Formats.Count == 0
            ? "none" : string.Join(", ", check.Formats.OrderByDescending(f => f.Value).ThenBy(f => f.Key, StringComparer.Ordinal).Select(
                f => Text($"{f.Value:N0} {f.Key}")))));
        if (check.WithFurtherFrames > 0)
            output.WriteLine(Text($"note: {check.WithFurtherFrames:N0} of them {(check.WithFurtherFrames == 1 ? "holds" : "hold")} several frames ")
                + "or pages; of each the first is taken");
        PrintSizes(check, terminal);
        PrintBroken(check, output, all);
        return check.Broken.Count;
    }

    private static void PrintClasses(ImageSource source, Terminal terminal)
    {
        if (source.Classes.Count == 0) return;
        var counts = new int[source.Classes.Count];
        var without = 0;
        for (var i = 0; i < source.Count; i++)
        {
            if (source.LabelOf(i) is { } label) counts[label]++;
            else without++;
        }

        var table = new ResultTable(null, "class", "images", "share");
        for (var c = 0; c < Math.Min(ShownClasses, counts.Length); c++)
            table.Add(PrintableName.Of(source.Classes[c]), Text($"{counts[c]:N0}"), Share(counts[c], source.Count));
        if (counts.Length > ShownClasses)
            table.Add(Text($"({counts.Length - ShownClasses:N0} more)"), Text($"{counts.Skip(ShownClasses).Sum():N0}"), Share(
                counts.Skip(ShownClasses).Sum(), source.Count));
        if (without > 0) table.Add("(no label)", Text($"{without:N0}"), Share(without, source.Count));
        terminal.Out.WriteLine();
        table.Print(terminal);
        var commonest = PrintableName.Of(source.Classes[Array.IndexOf(counts, counts.Max())]);
        terminal.Out.WriteLine(Text($"always answering {commonest} would be right for {Share(counts.Max(), Math.Max(1, source.Count - without))}"));
    }

    private static void PrintColumns(ImageSource source, Terminal terminal)
    {
        if (source.Columns.Count == 0) return;
        var table = new ResultTable(null, "number", "lowest", "mean", "highest", "missing");
        foreach (var column in source.Columns.Take(ShownColumns))
        {
            var values = Enumerable.Range(0, source.Count).Select(i => source.ValueOf(i, column)).ToArray();
            var known = values.OfType<double>().DefaultIfEmpty().ToArray();
            table.Add(column, Text($"{known.Min():G6}"), Text($"{known.Average():G6}"), Text($"{known.Max():G6}"), Text(
                $"{values.Count(v => v is null):N0}"));
        }

        terminal.Out.WriteLine();
        table.Print(terminal);
        if (source.Columns.Count > ShownColumns) terminal.Out.WriteLine("and " + string.Join(", ", source.Columns.Skip(ShownColumns)));
    }

    private static void PrintSizes(ImageCheck check, Terminal terminal)
    {
        if (check.Sizes.Count == 0) return;
        var table = new ResultTable("sizes in pixels", "", "least", "5 %", "median", "95 %", "greatest");
        void Add(string name, Func<(int Width, int Height), int> side)
        {
            var sorted = check.Sizes.Select(side).Order().ToArray();
            table.Add([name, .. ((double[])[0, 0.05, 0.5, 0.95, 1]).Select(q => Text($"{sorted[(int)(q * (sorted.Length - 1))]}"))]);
        }

        Add("width", s => s.Width);
        Add("height", s => s.Height);
        Add("shorter side", s => Math.Min(s.Width, s.Height));
        table.Print(terminal);
    }

    private static void PrintBroken(ImageCheck check, TextWriter output, bool all)
    {
        output.WriteLine(check.Broken.Count == 0
            ? $"broken: none{(all ? "" : " found; --all decodes every image")}"
            : Text($"broken: {check.Broken.Count:N0}{(all ? "" : " of those looked at; --all decodes every image")}"));
        foreach (var broken in check.Broken.Take(ShownBroken)) output.WriteLine("  " + broken.Message);
        if (check.Broken.Count > ShownBroken) output.WriteLine(Text($"  and {check.Broken.Count - ShownBroken:N0} more"));
    }

    private static string Share(int part, int whole) => string.Create(CultureInfo.InvariantCulture, $"{100.0 * part / whole:F1}%");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
