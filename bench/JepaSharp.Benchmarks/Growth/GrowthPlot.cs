using System.Globalization;
using System.Text;

namespace JepaSharp.Benchmarks.Growth;

/// <summary>Draws the sweeps as SVG: seconds above, memory below, a panel for each axis and one against the operations; all axes
/// logarithmic.</summary>
internal static class GrowthPlot
{
    private const int Panel = 210, Gap = 62, Left = 64, Top = 44;

    public static string Draw(IReadOnlyList<GrowthPoint> points, double floor)
    {
        var axes = points.Select(p => p.Axis).Distinct().ToList();
        var columns = axes.Count + 1;
        var svg = new StringBuilder();
        int width = Left + (columns * (Panel + Gap)), height = Top + (2 * (Panel + Gap)) + 10;
        svg.AppendLine(string.Create(CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" "
                + $"font-family=\"sans-serif\" font-size=\"11\">"));
        svg.AppendLine("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>");
        svg.AppendLine(string.Create(CultureInfo.InvariantCulture,
            $"<text x=\"{Left}\" y=\"20\" font-size=\"14\">A training step's cost. Dots: measured. Dashed: as the operations grow, "
            + $"through the last point.</text>"));
        for (var c = 0; c < columns; c++)
        {
            var last = c == axes.Count;
            var shown = last ? [.. points.OrderBy(p => p.Operations)] : points.Where(p => p.Axis == axes[c]).ToList();
            Func<GrowthPoint, double> x = last ? p => p.Operations / 1e9 : p => p.Value;
            var name = last ? "GFLOP a step, all points" : axes[c];
            var at = Left + (c * (Panel + Gap));
            Draw(svg, at, Top, name, "seconds", [.. shown.Select(p => (x(p), p.Seconds, p.Operations))]);
            Draw(svg, at, Top + Panel + Gap, name, "MiB above an empty process", [.. shown.Select(
                p => (x(p), Math.Max(1, p.Megabytes - floor), p.Operations))]);
        }

        return svg.AppendLine("</svg>").ToString();
    }

    private static void Draw(
        StringBuilder svg, int left, int top, string xName, string yName, IReadOnlyList<(double X, double Y, double Operations)> points)
    {
        var (fromX, toX) = Range(points.Select(p => p.X));
        var (fromY, toY) = Range(points.Select(p => p.Y));
        double AtX(double v) => left + (Panel * Math.Log(v / fromX) / Math.Log(toX / fromX));
        double AtY(double v) => top + Panel - (Panel * Math.Log(v / fromY) / Math.Log(toY / fromY));
        svg.AppendLine(Text($"<rect x=\"{left}\" y=\"{top}\" width=\"{Panel}\" height=\"{Panel}\" fill=\"none\" stroke=\"#888\"/>"));
        foreach (var tick in Ticks(fromX, toX))
            svg.AppendLine(string.Create(CultureInfo.InvariantCulture,
                $"<path d=\"M{AtX(tick):F1} {top}v{Panel}\" stroke=\"#eee\"/><text x=\"{AtX(tick):F1}\" y=\"{top + Panel + 14}\" "
                + $"text-anchor=\"middle\">{tick}</text>"));
        foreach (var tick in Ticks(fromY, toY))
            svg.AppendLine(string.Create(CultureInfo.InvariantCulture,
                $"<path d=\"M{left} {AtY(tick):F1}h{Panel}\" stroke=\"#eee\"/><text x=\"{left - 4}\" y=\"{AtY(tick) + 4:F1}\" "
                + $"text-anchor=\"end\">{tick}</text>"));
        svg.AppendLine(Text($"<text x=\"{left + (Panel / 2)}\" y=\"{top + Panel + 30}\" text-anchor=\"middle\">{xName}</text>"));
        svg.AppendLine(Text($"<text x=\"{left}\" y=\"{top - 6}\">{yName}</text>"));

        var end = points[^1];
        var clip = Text($"c{left}x{top}");
        svg.AppendLine(Text($"<clipPath id=\"{clip}\"><rect x=\"{left}\" y=\"{top}\" width=\"{Panel}\" height=\"{Panel}\"/></clipPath>"));
        var expected = points.Select(p => Text($"{AtX(p.X):F1},{AtY(end.Y * p.Operations / end.Operations):F1}"));
        svg.AppendLine(string.Create(CultureInfo.InvariantCulture,
            $"<polyline points=\"{string.Join(' ', expected)}\" clip-path=\"url(#{clip})\" fill=\"none\" stroke=\"#c60\" "
            + $"stroke-dasharray=\"4 3\"/>"));
        foreach (var p in points) svg.AppendLine(Text($"<circle cx=\"{AtX(p.X):F1}\" cy=\"{AtY(p.Y):F1}\" r=\"3.5\" fill=\"#06c\"/>"));
    }

    private static (double From, double To) Range(IEnumerable<double> values)
    {
        var all = values.ToList();
        return (all.Min() / 1.3, all.Max() * 1.3);
    }

    /// <summary>1, 2, 5 of every decade while there is room, else the decades alone.</summary>
    private static IEnumerable<double> Ticks(double from, double to)
    {
        double[] steps = to / from > 300 ? [1] : [1, 2, 5];
        for (var decade = Math.Floor(Math.Log10(from)); decade <= Math.Log10(to); decade++)
        {
            foreach (var step in steps)
            {
                var tick = Math.Round(step * Math.Pow(10, decade), 6);
                if (tick >= from && tick <= to) yield return tick;
            }
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
