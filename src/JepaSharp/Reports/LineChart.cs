using System.Globalization;
using System.Net;
using System.Text;
using static JepaSharp.Reports.HtmlText;

namespace JepaSharp.Reports;

/// <summary>A line in a chart.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Points">Steps and values, in order.</param>
/// <param name="Colour">1 to 8: which of the page's colours.</param>
/// <param name="Dots">Whether each point is marked: for values measured now and then.</param>
/// <param name="Band">Lowest and highest at each point, or null.</param>
internal sealed record ChartLine(
    string Name, IReadOnlyList<(double Step, double Value)> Points, int Colour, bool Dots = false,
    IReadOnlyList<(double Step, double Low, double High)>? Band = null)
{
    /// <summary>Points of their own beside the line.</summary>
    public IReadOnlyList<(double Step, double Value)> Marks { get; init; } = [];
}

/// <summary>
/// A line chart, over steps or something else, as a figure of a page: SVG that follows the page's colours, readable at the width of a phone.
/// </summary>
/// <param name="title">Above it.</param>
/// <param name="unit">What its values are.</param>
/// <param name="note">Below it: how to read it. HTML.</param>
/// <param name="byRatio">Whether the axis is logarithmic where the values spread far: for losses.</param>
/// <param name="axis">What the values are over, where it is not steps.</param>
internal sealed class LineChart(string title, string unit, string note, bool byRatio = false, string? axis = null)
{
    private const double Width = 440, Height = 250, LeastLeft = 52, LeastRight = 12, Top = 12, Bottom = 40;

    // The axis' title stands upright at the left edge, the ticks' numbers between it and the axis.
    private const double TitleAt = 12, TitleEnd = 18, TickGap = 6;

    private readonly List<ChartLine> _lines = [];
    private double _left = LeastLeft, _right = LeastRight;

    /// <summary>Adds a line; values that are not finite are left out.</summary>
    public LineChart Add(ChartLine line)
    {
        _lines.Add(line with
        {
            Points = [.. line.Points.Where(p => double.IsFinite(p.Value))],
            Marks = [.. line.Marks.Where(p => double.IsFinite(p.Value))],
        });
        return this;
    }

    /// <summary>The figure as HTML; nothing where no line has a point.</summary>
    public string ToHtml()
    {
        List<ChartLine> lines = [.. _lines.Where(line => line.Points.Count > 0)];
        if (lines.Count == 0) return "";
        double[] values =
        [
            .. lines.SelectMany(l => l.Points.Concat(l.Marks).Select(p => p.Value).Concat(l.Band?.SelectMany(b => new[] { b.Low, b.High }) ?? [])),
        ];
        var logarithmic = byRatio && values.Min() > 0 && values.Max() / values.Min() > 12;
        var y = logarithmic ? AxisScale.Logarithmic(values.Min(), values.Max()) : AxisScale.Linear(
            Math.Min(values.Min(), values.Min() < values.Max() / 2 && values.Min() > 0 ? 0 : values.Min()), values.Max());
        var furthest = lines.Max(l => l.Points.Concat(l.Marks).Max(p => p.Step));
        var x = axis is null ? AxisScale.Exact(0, furthest) : AxisScale.Linear(0, furthest);

        _left = Math.Max(LeastLeft, TitleEnd + y.Ticks.Max(tick => TextWidth.Of(y.LabelOf(tick))) + TickGap);
        _right = Math.Max(LeastRight, x.Ticks.Max(tick => TextWidth.Of(x.LabelOf(tick)) / 2 - ((1 - x.Position(tick)) * (Width - _left))));

        var html = new StringBuilder();
        html.Append("<figure class=\"chart\"><h3>").Append(Escape(title)).Append("</h3><p class=\"legend\">");
        foreach (var line in lines) html.Append($"<span><i class=\"c{line.Colour}\"></i>{Escape(line.Name)}</span>");
        html.Append("</p>").Append(
            $"<svg viewBox=\"0 0 {At(Width)} {At(Height)}\" role=\"img\" aria-label=\"{Escape(title)}: "
                + $"{Escape(string.Join(", ", lines.Select(l => l.Name)))}, over {Escape(axis ?? "steps")}\">");
        AppendAxes(html, x, y);
        foreach (var line in lines) AppendLine(html, line, x, y);
        html.Append("</svg>");
        if (note.Length > 0) html.Append("<figcaption>").Append(note).Append("</figcaption>");
        return html.Append("</figure>\n").ToString();
    }

    private void AppendAxes(StringBuilder html, AxisScale x, AxisScale y)
    {
        foreach (var tick in y.Ticks)
        {
            var at = At(Y(y, tick));
            html.Append($"<line class=\"grid\" x1=\"{At(_left)}\" x2=\"{At(Width - _right)}\" y1=\"{at}\" y2=\"{at}\"/>");
            html.Append($"<text class=\"tick\" x=\"{At(_left - TickGap)}\" y=\"{At(Y(y, tick) + 4)}\" text-anchor=\"end\">{y.LabelOf(tick)}</text>");
        }

        var floor = Height - Bottom;
        html.Append($"<line class=\"axis\" x1=\"{At(_left)}\" x2=\"{At(Width - _right)}\" y1=\"{At(floor)}\" y2=\"{At(floor)}\"/>");
        foreach (var tick in x.Ticks)
        {
            var at = At(X(x, tick));
            html.Append($"<line class=\"axis\" x1=\"{at}\" x2=\"{at}\" y1=\"{At(floor)}\" y2=\"{At(floor + 4)}\"/>");
            html.Append($"<text class=\"tick\" x=\"{at}\" y=\"{At(floor + 17)}\" text-anchor=\"middle\">{x.LabelOf(tick)}</text>");
        }

        html.Append($"<text class=\"label\" x=\"{At((_left + Width - _right) / 2)}\" y=\"{At(Height - 4)}\" "
            + $"text-anchor=\"middle\">{Escape(axis ?? "step")}</text>");
        var middle = At((Top + floor) / 2);
        html.Append($"<text class=\"label\" x=\"{At(TitleAt)}\" y=\"{middle}\" text-anchor=\"middle\" transform=\"rotate(-90 {At(TitleAt)} "
            + $"{middle})\">{Escape(unit)}{(y.IsLogarithmic ? ", log scale" : "")}</text>");
    }

    private void AppendLine(StringBuilder html, ChartLine line, AxisScale x, AxisScale y)
    {
        if (line.Band is { Count: > 1 } band)
        {
            var upper = band.Select(b => $"{At(X(x, b.Step))},{At(Y(y, b.High))}");
            var lower = band.Reverse().Select(b => $"{At(X(x, b.Step))},{At(Y(y, b.Low))}");
            html.Append($"<polygon class=\"band c{line.Colour}\" points=\"{string.Join(' ', upper.Concat(lower))}\"/>");
        }

        if (line.Points.Count > 1)
            html.Append($"<polyline class=\"line c{line.Colour}\" "
                + $"points=\"{string.Join(' ', line.Points.Select(p => $"{At(X(x, p.Step))},{At(Y(y, p.Value))}"))}\"/>");
        if (line.Dots || (line.Points.Count == 1 && line.Marks.Count == 0)) AppendDots(html, line, line.Points, x, y);
        AppendDots(html, line, line.Marks, x, y);
    }

    private void AppendDots(StringBuilder html, ChartLine line, IEnumerable<(double Step, double Value)> points, AxisScale x, AxisScale y)
    {
        foreach (var (step, value) in points)
            html.Append($"<circle class=\"dot c{line.Colour}\" cx=\"{At(X(x, step))}\" cy=\"{At(Y(y, value))}\" r=\"3\"><title>{Escape(line.Name)} "
                + $"{(axis is null ? $"at step {Count((long)step)}" : $"at {Number(step)}")}: {Number(value)}</title></circle>");
    }

    private double X(AxisScale scale, double step) => _left + (scale.Position(step) * (Width - _left - _right));

    private static double Y(AxisScale scale, double value) => Height - Bottom - (scale.Position(value) * (Height - Top - Bottom));
}

/// <summary>How much room a chart's numbers take at most, whatever sans-serif letters a reader has.</summary>
internal static class TextWidth
{
    /// <summary>In units of the drawing, of letters 12 high: digits of DejaVu Sans, which are wide, are 0.636 of that.</summary>
    public static double Of(string label) => label.Sum(letter => letter is '.' or ',' ? 4.0 : letter == '-' ? 4.4 : 7.7);
}

/// <summary>Text and numbers as they may stand in a page.</summary>
internal static class HtmlText
{
    /// <summary>A text that shows as it is, wherever it stands: &amp;, &lt;, &gt; and both quotes are written as entities.</summary>
    public static string Escape(string text) => WebUtility.HtmlEncode(text);

    /// <summary>A number with as many digits as are worth reading: 1,250; 31.4; 0.655; 0.0031.</summary>
    public static string Number(double value) => Math.Abs(value) switch
    {
        double.NaN => "-",
        0 => "0",
        >= 1000 => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        >= 0.1 => value.ToString("0.000", CultureInfo.InvariantCulture),
        >= 0.001 => value.ToString("0.0000", CultureInfo.InvariantCulture),
        _ => value.ToString("0.0e0", CultureInfo.InvariantCulture),
    };

    /// <summary>A share as a percentage: 31.4 %.</summary>
    public static string Percent(double share) => double.IsNaN(share) ? "-" : (100 * share).ToString("0.0", CultureInfo.InvariantCulture) + "&nbsp;%";

    /// <summary>A whole number with separators.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>43 s, 12 min 5 s, 3 h 4 min, 2 d 3 h.</summary>
    public static string Duration(TimeSpan time)
    {
        FormattableString text = time switch
        {
            { TotalSeconds: < 60 } => $"{time.TotalSeconds:0} s",
            { TotalHours: < 1 } => $"{time.Minutes} min {time.Seconds} s",
            { TotalDays: < 1 } => $"{time.Hours} h {time.Minutes} min",
            _ => $"{time.Days} d {time.Hours} h",
        };
        return text.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Floating-point operations: 1.25 TFLOP, 31.4 PFLOP.</summary>
    public static string Operations(double count)
    {
        var (unit, size) = OperationsUnit(count);
        count /= size;
        return count == 0 ? "0" : count.ToString(count >= 100 ? "0" : count >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture) + " " + unit;
    }

    /// <summary>The unit in which so many operations are read best, and how many it is.</summary>
    public static (string Unit, double Size) OperationsUnit(double count)
    {
        string[] units = ["FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP", "ZFLOP"];
        var unit = 0;
        for (; count >= 1000 && unit < units.Length - 1; unit++) count /= 1000;
        return (units[unit], Math.Pow(1000, unit));
    }

    /// <summary>A coordinate in a drawing.</summary>
    public static string At(double coordinate) => coordinate.ToString("0.##", CultureInfo.InvariantCulture);
}
