using System.Globalization;
using JepaSharp.Cli.Display;
using JepaSharp.Data.Sources;

namespace JepaSharp.Cli.Reports;

/// <summary>What a collection of images holds, as a table.</summary>
internal static class ImagesInspection
{
    /// <summary>Looks at some of the images and prints what they are.</summary>
    public static void Print(string path, Terminal terminal)
    {
        using var source = ImageSources.Open(path);
        var summary = ImageSourceSummary.Of(source);
        var table = new ResultTable(null, "what", "value");
        table.Add("images", Invariant($"{summary.Count:n0}"));
        table.Add("classes", summary.Classes.Count == 0 ? "none" : Invariant($"{summary.Classes.Count:n0}"));
        table.Add("sizes", Invariant($"{summary.Smallest.Width}x{summary.Smallest.Height} to {summary.Largest.Width}x{summary.Largest.Height}, median shorter side {summary.MedianShorterSide}"));
        table.Add("formats", string.Join(", ", summary.Formats.Select(f => f.Key)));
        table.Print(terminal);
        foreach (var unreadable in summary.Unreadable) terminal.Out.WriteLine("warning: " + unreadable.Message);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
