using System.Globalization;
using static JepaSharp.Reports.HtmlText;

namespace JepaSharp.Reports;

/// <summary>All runs of a folder in a table, with boxes to choose those that are to be shown side by side.</summary>
internal static class RunsTable
{
    /// <summary>As HTML.</summary>
    /// <param name="title">The folder's name.</param>
    /// <param name="runs">In the order of the rows.</param>
    /// <param name="linkTo">The address of a run's page.</param>
    /// <param name="sideBySide">The address of the page that compares runs.</param>
    public static string Of(string title, IReadOnlyList<WatchedRun> runs, Func<string, string> linkTo, string sideBySide)
    {
        var head = $"<h1>{Escape(title)}</h1>\n";
        if (runs.Count == 0) return head + "<p class=\"note\">There is no run in this folder yet. The first one shows here when it begins.</p>\n";
        var rows = string.Concat(runs.Select(run => Row(run, linkTo)));
        return $"""
            {head}<p class="lead">{Count(runs.Count)} run{(runs.Count == 1 ? "" : "s")}, those that wrote last first.</p>
            <form action="{sideBySide}" method="get">
            <div class="scroll"><table class="runs"><tr><th></th><th>run</th><th>state</th><th>objective</th><th class="n">steps</th><th class="n">time left</th><th class="n">loss</th><th class="n">RankMe</th><th class="n">probe</th><th class="n">warnings</th></tr>
            {rows}</table></div>
            <p><button>Show the chosen side by side</button></p>
            </form>

            """;
    }

    /// <summary>What a run is doing, in titles and HTML.</summary>
    public static IEnumerable<(string Title, string Value)> ProgressFacts(RunRecord run, RunProgress progress)
    {
        yield return ("state", Escape(progress.Words));
        yield return ("time left", progress.TimeLeft is { } left ? "about " + Duration(left) : "-");
        yield return ("done", Done(run, progress));
    }

    /// <summary>Share of the steps.</summary>
    public static string Done(RunRecord run, RunProgress progress) =>
        progress.TotalSteps is { } total and > 0 ? Percent(Math.Min(1, (double)run.Steps / total)) : "-";

    /// <summary>The latest score of a probe, whichever comes first; null where there is none.</summary>
    public static (string Name, double Value)? LatestProbe(RunRecord run) =>
        run.Measures.Reverse().SelectMany(taken => taken.Values).Where(value => MeasureWords.IsProbeScore(value.Key))
            .Select(value => ((string, double)?)(value.Key, value.Value)).FirstOrDefault();

    /// <summary>A measure's value as a page writes it.</summary>
    public static string Value(string name, double value) => MeasureWords.IsShare(name) ? Percent(value) : Number(value);

    private static string Row(WatchedRun run, Func<string, string> linkTo)
    {
        var link = $"<td><input type=\"checkbox\" name=\"run\" value=\"{Escape(run.Name)}\" aria-label=\"{Escape(run.Name)}\"></td>"
            + $"<td><a href=\"{Escape(linkTo(run.Name))}\">{Escape(run.Name)}</a></td>";
        if (run is not { Record: { } record, Progress: { } progress })
            return $"<tr>{link}<td colspan=\"8\">{Escape(run.Problem ?? "")}</td></tr>\n";
        var probe = LatestProbe(record);
        string[] numbers =
        [
            $"{Count(record.Steps)}{(progress.TotalSteps is { } total ? $" of {Count(total)}" : "")}",
            progress.TimeLeft is { } left ? Duration(left) : "-",
            record.Groups.Count > 0 ? Number(record.Groups[^1].Loss) : "-",
            record.Readings.Count > 0 ? Number(record.Readings[^1].Reading.RankMe) : "-",
            probe is { } p ? $"<span title=\"{Escape(MeasureWords.Of(p.Name))}\">{Value(p.Name, p.Value)}</span>" : "-",
            record.Warnings.Count == 0 ? "-" : record.Warnings.Count.ToString(CultureInfo.InvariantCulture),
        ];
        return $"<tr>{link}<td>{Escape(progress.Words)}</td><td>{Escape(record.Options.Meta.Objective)}</td>"
            + string.Concat(numbers.Select(number => $"<td class=\"n\">{number}</td>")) + "</tr>\n";
    }
}
