using static JepaSharp.Reports.HtmlText;

namespace JepaSharp.Reports;

/// <summary>Runs side by side: a column of facts each, and their curves in the same charts.</summary>
internal static class SideBySideSection
{
    private const int Colours = 8, ShownProbes = 4;

    /// <summary>As HTML.</summary>
    /// <param name="runs">At most as many as there are colours.</param>
    /// <param name="linkTo">The address of a run's page.</param>
    public static string Of(IReadOnlyList<WatchedRun> runs, Func<string, string> linkTo)
    {
        var unread = string.Concat(runs.Where(run => run.Record is null).Select(
            run => $"<p class=\"note warning\">{Escape(run.Name)}: {Escape(run.Problem ?? "cannot be read.")}</p>\n"));
        List<(WatchedRun Run, RunRecord Record, int Colour)> shown =
            [.. runs.Where(run => run.Record is not null).Select((run, i) => (run, run.Record!, (i % Colours) + 1))];
        return $"<h1>{shown.Count} run{(shown.Count == 1 ? "" : "s")} side by side</h1>\n{unread}{Facts(shown, linkTo)}{Charts(shown)}";
    }

    private static string Facts(List<(WatchedRun Run, RunRecord Record, int Colour)> runs, Func<string, string> linkTo)
    {
        if (runs.Count == 0) return "";
        (string Title, Func<WatchedRun, RunRecord, string> Value)[] facts =
        [
            ("state", (run, _) => Escape(run.Progress!.Words)),
            ("time left", (run, _) => run.Progress!.TimeLeft is { } left ? "about " + Duration(left) : "-"),
            ("done", (run, record) => RunsTable.Done(record, run.Progress!)),
            ("objective", (_, record) => Escape(record.Options.Meta.Objective)),
            ("model", (_, record) => Escape(record.Options.Meta.ModelName)),
            ("steps", (_, record) => Count(record.Steps)),
            ("images seen", (_, record) => Count(record.Images)),
            ("time of the steps", (_, record) => Duration(record.Time)),
            ("loss at the last step", (_, record) => record.Groups.Count > 0 ? Number(record.Groups[^1].Loss) : "-"),
            ("RankMe, latest", (_, record) => record.Readings.Count > 0 ? Number(record.Readings[^1].Reading.RankMe) : "-"),
            .. ProbesOf(runs).Select(name => ((string, Func<WatchedRun, RunRecord, string>))(
                Escape(MeasureWords.Of(name)) + ", latest", (_, record) => Latest(record, name))),
            ("warnings", (_, record) => Count(record.Warnings.Count)),
        ];
        var heads = string.Concat(runs.Select(run => $"<th><a href=\"{Escape(linkTo(run.Run.Name))}\">{Escape(run.Run.Name)}</a></th>"));
        var rows = string.Concat(facts.Select(
            fact => $"<tr><th>{fact.Title}</th>{string.Concat(runs.Select(run => $"<td>{fact.Value(run.Run, run.Record)}</td>"))}</tr>\n"));
        return $"<div class=\"scroll\"><table><tr><th></th>{heads}</tr>\n{rows}</table></div>\n";
    }

    private static string Charts(List<(WatchedRun Run, RunRecord Record, int Colour)> runs)
    {
        LineChart Chart(string title, string unit, string note, bool byRatio, bool dots, Func<RunRecord, IEnumerable<(double, double)>> points)
        {
            var chart = new LineChart(title, unit, note, byRatio);
            foreach (var (run, record, colour) in runs) chart.Add(new ChartLine(run.Name, [.. points(record)], colour, dots));
            return chart;
        }

        LineChart[] charts =
        [
            Chart("Loss", "loss", "Of different objectives, losses cannot be compared.", true, false, r => r.Groups.Select(
                g => ((double)g.Step, g.Loss))),
            Chart("RankMe", "effective rank", "Of encoders of different widths, ranks cannot be compared.", false, true, r => r.Readings.Select(
                x => ((double)x.Step, x.Reading.RankMe))),
            Chart("LiDAR", "effective rank", "", false, true, r => r.Readings.Select(x => ((double)x.Step, x.Reading.Lidar))),
            .. ProbesOf(runs).Take(ShownProbes).Select(name => Chart(
                MeasureWords.Of(name), "score", "", false, true, r => r.Measures.Where(m => m.Values.ContainsKey(name)).Select(
                    m => ((double)m.Step, m.Values[name])))),
            Chart("Learning rate", "learning rate", "", false, false, r => r.Groups.Select(g => ((double)g.Step, g.LearningRate))),
            Chart("Speed", "images / s", "The wait for data included.", false, false, r => r.Groups.Select(
                g => ((double)g.Step, g.ImagesPerSecond))),
        ];
        return "<h2>Step by step</h2>\n<div class=\"charts\">\n" + string.Concat(charts.Select(c => c.ToHtml())) + "</div>\n";
    }

    private static string[] ProbesOf(List<(WatchedRun Run, RunRecord Record, int Colour)> runs) =>
        [.. runs.SelectMany(run => run.Record.Measures).SelectMany(m => m.Values.Keys).Where(MeasureWords.IsProbeScore).Distinct()];

    private static string Latest(RunRecord record, string name) =>
        record.Measures.LastOrDefault(taken => taken.Values.ContainsKey(name)) is { } taken ? RunsTable.Value(name, taken.Values[name]) : "-";
}
