using System.Globalization;
using System.Text;
using JepaSharp.Monitoring;
using JepaSharp.Objectives;
using JepaSharp.Training;
using static JepaSharp.Reports.HtmlText;

namespace JepaSharp.Reports;

/// <summary>The page that shows a run: one file, with its style and pictures inside, without scripts, that opens anywhere.</summary>
internal static class ReportPage
{
    /// <summary>The page as HTML.</summary>
    /// <param name="run">What the run's files say.</param>
    /// <param name="pictures">Pictures on its images; null where those are not to be had.</param>
    /// <param name="checkpoints">Its checkpoints, ranked; null where they were not.</param>
    /// <param name="missing">Why something is missing, a sentence each.</param>
    public static string Of(RunRecord run, RunPictures? pictures, CheckpointRanking? checkpoints, IReadOnlyList<string> missing)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(run.Folder));
        var html = new StringBuilder();
        html.Append($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{Escape(name)} - JepaSharp</title>
            <style>
            {ReportStyle.Css}
            </style>
            </head>
            <body>
            <h1>{Escape(name)}</h1>
            <p class="lead">{Escape(Lead(run))}</p>

            """);
        html.Append(Facts(run)).Append(Verdict(run));
        foreach (var reason in missing) html.Append($"<p class=\"note warning\">{Escape(reason)}</p>\n");
        html.Append(ProbesSection(run));
        html.Append(CurvesSection.Of(run));
        if (checkpoints is not null) html.Append(Checkpoints(checkpoints));
        if (pictures is not null) html.Append(PicturesSection.Of(pictures));
        html.Append(Configuration(run)).Append(Machine(run));
        return html.Append("<footer>Written by JepaSharp. This file needs no other: it can be moved and sent.</footer>\n</body>\n</html>\n").ToString();
    }

    private static string Lead(RunRecord run)
    {
        var (objective, images) = (run.Options.Meta.Objective, run.Machine?.Source ?? run.Options.Data.ResolveSource() ?? "rendered scenes");
        return objective switch
        {
            ImageJepa.ShortName => $"I-JEPA pretraining of {Model(run)} on {images}, without labels.",
            FineTuning.ShortName => $"Fine-tuning of {Model(run)} on the labels of {images}.",
            _ => $"{objective}: {Model(run)} on {images}.",
        };
    }

    private static string Model(RunRecord run)
    {
        var meta = run.Options.Meta;
        return string.Create(CultureInfo.InvariantCulture, $"{meta.ModelName}{(meta.EmbedDim is { } d ? $", {d} wide" : "")}{(meta.Depth is { } n ? $", {n} blocks" : "")}, patches of {run.Options.Mask.PatchSize} in crops of {run.Options.Data.CropSize} pixels");
    }

    private static string Facts(RunRecord run)
    {
        var (step, last) = run.Readings.Count > 0 ? run.Readings[^1] : (run.Steps, null);
        (string Name, string Value)[] facts =
        [
            ("steps", $"{Count(run.Steps)}"),
            ("epochs", $"{run.Epoch} of {run.Options.Optimization.Epochs}"),
            ("images seen", Count(run.Images)),
            ("time of the steps", Duration(run.Time)),
            ("loss at the end", run.Groups.Count > 0 ? Number(run.Groups[^1].Loss) : "-"),
            (step == run.Steps ? "RankMe at the end" : $"RankMe at step {Count(step)}", last is null ? "-" : Number(last.RankMe)),
        ];
        return "<dl class=\"facts\">" + string.Concat(facts.Select(f => $"<div><dt>{f.Name}</dt><dd>{f.Value}</dd></div>")) + "</dl>\n";
    }

    private static string Verdict(RunRecord run)
    {
        if (run.Warnings.Count > 0) return string.Concat(run.Warnings.Select(w => $"<p class=\"note warning\"><strong>Warning</strong> at {Escape(w)}</p>\n"));
        return run.Readings.Count < 2 ? "" : "<p class=\"note\">The monitors saw no sign of collapse.</p>\n";
    }

    private static string ProbesSection(RunRecord run)
    {
        if (run.Measures.Count == 0) return "";
        int[] shown = [.. new[] { 0, run.Measures.Count / 2, run.Measures.Count - 1 }.Distinct()];
        string Title(int i) => run.Measures[i].Step == 0 ? "untrained" : string.Create(CultureInfo.InvariantCulture, $"epoch {run.Measures[i].Epoch}");
        var rows = run.Measures[^1].Values.Keys.Select(name =>
            $"<tr><td>{Escape(MeasureWords.Of(name))}</td>{string.Concat(shown.Select(i => $"<td class=\"n\">{Value(name, run.Measures[i].Values.GetValueOrDefault(name, double.NaN))}</td>"))}</tr>\n");
        return $"<h2>What it learned</h2>\n<div class=\"scroll\"><table><tr><th>measure</th>{string.Concat(shown.Select(i => $"<th class=\"n\">{Title(i)}</th>"))}</tr>\n{string.Concat(rows)}</table></div>\n";
    }

    private static string Value(string name, double value) => MeasureWords.IsShare(name) ? Percent(value) : Number(value);

    private static string Checkpoints(CheckpointRanking ranking)
    {
        string[] scores = [.. ranking.Ranked.SelectMany(c => c.Probe.Keys).Where(MeasureWords.IsProbeScore).Distinct()];
        var head = "<tr><th>checkpoint</th><th class=\"n\">step</th>" + string.Concat(scores.Select(s => $"<th class=\"n\">{Escape(s.Replace('_', ' '))}</th>"))
            + "<th class=\"n\">RankMe</th><th class=\"n\">LiDAR</th><th class=\"n\">loss</th><th class=\"n\">by position</th></tr>\n";
        var rows = ranking.Ranked.Select((c, i) =>
            $"<tr{(i == 0 ? " class=\"keep\"" : "")}><td>{Escape(c.Name)}</td><td class=\"n\">{Count(c.Step)}</td>"
            + string.Concat(scores.Select(s => $"<td class=\"n\">{Value(s, c.Probe.GetValueOrDefault(s, double.NaN))}</td>"))
            + $"<td class=\"n\">{Number(c.Reading.RankMe)}</td><td class=\"n\">{Number(c.Reading.Lidar)}</td><td class=\"n\">{Number(c.Reading.Loss)}</td><td class=\"n\">{Number(c.Reading.PositionLoss)}</td></tr>\n");
        return $"<h2>Which checkpoint to keep</h2>\n<p>{Escape(ranking.Advice)}</p>\n<div class=\"scroll\"><table>{head}{string.Concat(rows)}</table></div>\n";
    }

    private static string Configuration(RunRecord run) =>
        $"<h2>Configuration</h2>\n<p>All of <code>config.yaml</code>{Repeats(run)}.</p>\n<details><summary>every key</summary><pre>{Escape(run.Options.ToYaml())}</pre></details>\n";

    private static string Repeats(RunRecord run) =>
        KnownObjectives.Names.Contains(run.Options.Meta.Objective) ? "; <code>jepa pretrain config.yaml</code> repeats the run" : "";

    private static string Machine(RunRecord run)
    {
        if (run.Machine is not { } m) return "";
        (string Name, string Value)[] facts =
        [
            ("images", $"{m.Source}, {Count(m.Images)}"),
            ("processor", string.Create(CultureInfo.InvariantCulture, $"{m.Processor}, {m.Cores} cores used")),
            ("device and precision", $"{m.Device}, {m.Precision}"),
            ("software", $"JepaSharp {m.Program}, libtorch {m.Libtorch}, {m.Dotnet}, {m.System}"),
            ("began", m.Started.ToString("yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture)),
            ("time of the steps", Duration(run.Time).Replace("&nbsp;", " ", StringComparison.Ordinal)),
            ("folder", run.Folder),
        ];
        return "<h2>Machine and time</h2>\n<div class=\"scroll\"><table>" + string.Concat(facts.Select(f => $"<tr><th>{f.Name}</th><td>{Escape(f.Value)}</td></tr>\n")) + "</table></div>\n";
    }
}
