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
        var html = new StringBuilder();
        html.Append($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{Escape(NameOf(run))} - JepaSharp</title>
            <style>
            {ReportStyle.Css}
            </style>
            </head>
            <body>

            """);
        html.Append(Body(run, "", pictures is null ? null : PicturesSection.Of(pictures), checkpoints, missing));
        return html.Append("<footer>Written by JepaSharp. This file needs no other: it can be moved and sent.</footer>\n</body>\n</html>\n").ToString(
            );
    }

    /// <summary>What the page says, without what is around it, as HTML.</summary>
    /// <param name="run">What the run's files say.</param>
    /// <param name="first">HTML below the title.</param>
    /// <param name="pictures">HTML of its pictures; null for none.</param>
    /// <param name="checkpoints">Its checkpoints, ranked; null where they were not.</param>
    /// <param name="missing">Why something is missing, a sentence each.</param>
    public static string Body(RunRecord run, string first, string? pictures, CheckpointRanking? checkpoints, IReadOnlyList<string> missing)
    {
        var html = new StringBuilder($"<h1>{Escape(NameOf(run))}</h1>\n<p class=\"lead\">{Escape(Lead(run))}</p>\n").Append(first);
        html.Append(Facts(run)).Append(Verdict(run));
        foreach (var reason in missing) html.Append($"<p class=\"note warning\">{Escape(reason)}</p>\n");
        html.Append(ProbesSection(run));
        html.Append(CurvesSection.Of(run));
        if (checkpoints is not null) html.Append(Checkpoints(checkpoints));
        if (pictures is not null) html.Append(pictures);
        return html.Append(Configuration(run)).Append(Machine(run)).ToString();
    }

    private static string NameOf(RunRecord run) => Path.GetFileName(Path.TrimEndingDirectorySeparator(run.Folder));

    private static string Lead(RunRecord run)
    {
        var ijepa = run.Options.Ijepa;
        var (objective, images) = (run.Options.Meta.Objective, run.Machine?.Source ?? run.Options.Data.ResolveSource() ?? "rendered scenes");
        return objective switch
        {
            ImageJepa.ShortName =>
                $"I-JEPA pretraining of {Model(run)} on {images}, without labels{JepaTargets.Note(ijepa.Target, ijepa.MaskTarget)}.",
            MaskedAutoencoder.ShortName => $"MAE pretraining of {Model(run)} on {images}, without labels.",
            LeJepa.ShortName => $"LeJEPA pretraining of {Model(run)} on {images}, without labels.",
            Data2Vec.ShortName => $"data2vec pretraining of {Model(run)} on {images}, without labels.",
            Dino.ShortName => $"DINO pretraining of {Model(run)} on {images}, without labels.",
            Ibot.ShortName => $"iBOT pretraining of {Model(run)} on {images}, without labels.",
            Rcdm.ShortName => $"RCDM: a decoder that draws what a frozen I-JEPA says of blocks of {images}, without labels.",
            Distillation.ShortName => $"Distillation into {Model(run)} on {images}, without labels.",
            MaskedSiamese.ShortName => $"MSN pretraining of {Model(run)} on {images}, without labels.",
            FineTuning.ShortName => $"Fine-tuning of {Model(run)} on the labels of {images}.",
            _ => $"{objective}: {Model(run)} on {images}.",
        };
    }

    private static string Model(RunRecord run)
    {
        var meta = run.Options.Meta;
        return string.Create(CultureInfo.InvariantCulture,
            $"{meta.ModelName}{(meta.EmbedDim is { } d ? $", {d} wide" : "")}{(meta.Depth is { } n ? $", {n} blocks" : "")}, patches of "
                + $"{run.Options.Mask.PatchSize} in crops of {run.Options.Data.CropSize} pixels");
    }

    private static string Facts(RunRecord run)
    {
        var (step, last) = run.Readings.Count > 0 ? run.Readings[^1] : (run.Steps, null);
        List<(string Name, string Value)> facts =
        [
            ("steps", $"{Count(run.Steps)}"),
            ("epochs", $"{run.Epoch} of {run.Options.Optimization.Epochs}"),
            ("images seen", Count(run.Images)),
            ("time of the steps", Duration(run.Time)),
            ("operations", run.Operations is { } operations ? Operations(operations) : "not counted"),
            ("loss at the last step", run.Groups.Count > 0 ? Number(run.Groups[^1].Loss) : "-"),
            (step == run.Steps ? "RankMe at the last step" : $"RankMe at step {Count(step)}", last is null ? "-" : Number(last.RankMe)),
        ];
        if (run.ContextShare is { } share)
        {
            var patches = run.Numbers[ImageJepa.ContextPatches];
            facts.Add(("patches in the context", string.Create(CultureInfo.InvariantCulture, $"{patches:0.#} ({share:0.00})")));
        }

        return "<dl class=\"facts\">" + string.Concat(facts.Select(f => $"<div><dt>{f.Name}</dt><dd>{f.Value}</dd></div>")) + "</dl>\n";
    }

    private static string Verdict(RunRecord run)
    {
        if (run.Warnings.Count > 0)
            return string.Concat(run.Warnings.Select(w => $"<p class=\"note warning\"><strong>Warning</strong> at {Escape(w)}</p>\n"));
        return run.Readings.Count < 2 ? "" : "<p class=\"note\">The monitors saw no sign of collapse.</p>\n";
    }

    private static string ProbesSection(RunRecord run)
    {
        if (run.Measures.Count == 0) return "";
        int[] shown = [.. new[] { 0, run.Measures.Count / 2, run.Measures.Count - 1 }.Distinct()];
        string Title(int i) =>
            run.Measures[i].Step == 0 ? "untrained" : string.Create(CultureInfo.InvariantCulture, $"epoch {run.Measures[i].Epoch}");
        string Cell(string name, int i) => $"<td class=\"n\">{Value(name, run.Measures[i].Values.GetValueOrDefault(name, double.NaN))}</td>";
        var rows = run.Measures[^1].Values.Keys.Select(name =>
            $"<tr><td>{Escape(MeasureWords.Of(name))}</td>{string.Concat(shown.Select(i => Cell(name, i)))}</tr>\n");
        var heads = string.Concat(shown.Select(i => $"<th class=\"n\">{Title(i)}</th>"));
        return $"<h2>What it learned</h2>\n<div class=\"scroll\"><table><tr><th>measure</th>{heads}</tr>"
            + $"\n{string.Concat(rows)}</table></div>\n";
    }

    private static string Value(string name, double value) => MeasureWords.IsShare(name) ? Percent(value) : Number(value);

    private static string Checkpoints(CheckpointRanking ranking)
    {
        string[] scores = [.. ranking.Ranked.SelectMany(c => c.Probe.Keys).Where(MeasureWords.IsProbeScore).Distinct()];
        var head = "<tr><th>checkpoint</th><th class=\"n\">step</th>" + string.Concat(
            scores.Select(s => $"<th class=\"n\">{Escape(s.Replace('_', ' '))}</th>"))
            + "<th class=\"n\">RankMe</th><th class=\"n\">LiDAR</th><th class=\"n\">loss</th><th class=\"n\">by position</th></tr>\n";
        var rows = ranking.Ranked.Select((c, i) =>
            $"<tr{(i == 0 ? " class=\"keep\"" : "")}><td>{Escape(c.Name)}</td><td class=\"n\">{Count(c.Step)}</td>"
            + string.Concat(scores.Select(s => $"<td class=\"n\">{Value(s, c.Probe.GetValueOrDefault(s, double.NaN))}</td>"))
            + $"<td class=\"n\">{Number(c.Reading.RankMe)}</td><td class=\"n\">{Number(c.Reading.Lidar)}</td><td "
            + $"class=\"n\">{Number(c.Reading.Loss)}</td><td class=\"n\">{Number(c.Reading.PositionLoss)}</td></tr>\n");
        return $"<h2>Which checkpoint to keep</h2>\n<p>{Escape(ranking.Advice)}</p>\n<p>Chosen without labels, as a "
            + $"run hands over when it ends (<code>checkpoints/best</code>): {Escape(ranking.HandedOver().Why)}.</p>\n<div "
            + $"class=\"scroll\"><table>{head}{string.Concat(rows)}</table></div>\n";
    }

    private static string Configuration(RunRecord run) =>
        $"<h2>Configuration</h2>\n<p>All of <code>config.yaml</code>{Repeats(run)}.</p>\n<details><summary>every "
            + $"key</summary><pre>{Escape(run.Options.ToYaml())}</pre></details>\n";

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
        return "<h2>Machine and time</h2>\n<div class=\"scroll\"><table>" + string
            .Concat(facts.Select(f => $"<tr><th>{f.Name}</th><td>{Escape(f.Value)}</td></tr>\n")) + "</table></div>\n";
    }
}

/// <summary>What a measure is called in words, and how its value is written.</summary>
public static class MeasureWords
{
    /// <summary>The words for a measure's name; for one that is not known, the name with spaces.</summary>
    public static string Of(string name) => name switch
    {
        "rankme" => "RankMe (effective rank of features)",
        "count_accuracy" => "object count, ridge probe, right",
        "count_r2" => "object count, ridge probe, R2",
        "distance_r2" => "nearest distance, ridge probe, R2",
        "distance_mae" => "nearest distance, mean error",
        "knn_accuracy" => "test accuracy, 20 nearest neighbours",
        "ridge_accuracy" => "test accuracy, ridge probe",
        "knn_heldout_accuracy" => "held-out accuracy, 20 nearest neighbours",
        "ridge_heldout_accuracy" => "held-out accuracy, ridge probe",
        "feature_deviation" => "deviation of a feature",
        "mean_cosine" => "mean cosine between images",
        "lidar" => "LiDAR (effective rank over views)",
        "loss" => "loss, always with the same masks",
        "constant_loss" => "loss of the best constant prediction",
        "position_loss" => "loss of the best prediction from position alone",
        _ => (name ?? throw new ArgumentNullException(nameof(name))).Replace('_', ' '),
    };

    /// <summary>Whether a measure is a share, to be shown as a percentage.</summary>
    public static bool IsShare(string name) => name is not null && name.EndsWith("accuracy", StringComparison.Ordinal);

    /// <summary>Whether a measure scores a probe, so that more is better.</summary>
    public static bool IsProbeScore(string name) => IsShare(name) || (name is not null && name.EndsWith("_r2", StringComparison.Ordinal));
}

/// <summary>The page's style: its own, from nowhere else; light or dark as the reader's system is; one column on a phone.</summary>
internal static class ReportStyle
{
    public const string Css = """
        :root { color-scheme: light dark; --paper: #fbfbf9; --card: #fff; --ink: #1f2328; --faint: #626a73; --rule: #dcdfe3; --warn: #fff4e0; --warn-edge: #d98200; --good: #e8f5ee; --good-edge: #17805a;
          --c1: #0069b4; --c2: #c8501a; --c3: #16805f; --c4: #8a5cc2; --c5: #a3681b; --c6: #b3307a; --c7: #4a6a2f; --c8: #5a6472; }
        @media (prefers-color-scheme: dark) { :root { --paper: #15181c; --card: #1d2126; --ink: #e6e8ea; --faint: #9aa3ad; --rule: #363c44; --warn: #3a2c12; --warn-edge: #e8a33d; --good: #14301f; --good-edge: #4cc38a;
          --c1: #5db1ee; --c2: #f08a5b; --c3: #56c596; --c4: #b893ea; --c5: #e0a95a; --c6: #ef7fb8; --c7: #a3c97a; --c8: #aab4c0; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 64rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
        h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
        h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid var(--rule); }
        h3 { font-size: .95rem; margin: 0 0 .25rem; }
        p { margin: .4rem 0; } .lead, .faint, figcaption { color: var(--faint); } figcaption { font-size: .85rem; }
        code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .85em; }
        code { overflow-wrap: anywhere; }
        .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1rem 0; padding: 0; }
        .facts div { background: var(--card); border: 1px solid var(--rule); border-radius: .5rem; padding: .6rem .8rem; }
        .facts dt { color: var(--faint); font-size: .8rem; } .facts dd { margin: 0; font-size: 1.15rem; font-weight: 600; overflow-wrap: anywhere; }
        .note { border-left: .3rem solid var(--good-edge); background: var(--good); border-radius: .3rem; padding: .6rem .9rem; margin: 1rem 0; }
        .note.warning { border-color: var(--warn-edge); background: var(--warn); }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); gap: 1rem; }
        figure { margin: 0; } .chart { background: var(--card); border: 1px solid var(--rule); border-radius: .5rem; padding: .8rem; }
        .chart svg { width: 100%; height: auto; display: block; } .chart figcaption { margin-top: .4rem; }
        .legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size: .85rem; margin: 0 0 .3rem; }
        .legend i { display: inline-block; width: 1.1rem; height: .25rem; border-radius: .2rem; vertical-align: middle; margin-right: .35rem; }
        i.c1 { background: var(--c1); } i.c2 { background: var(--c2); } i.c3 { background: var(--c3); } i.c4 { background: var(--c4); }
        i.c5 { background: var(--c5); } i.c6 { background: var(--c6); } i.c7 { background: var(--c7); } i.c8 { background: var(--c8); }
        svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; } svg .band { opacity: .18; stroke: none; }
        svg .line.c1 { stroke: var(--c1); } svg .line.c2 { stroke: var(--c2); } svg .line.c3 { stroke: var(--c3); } svg .line.c4 { stroke: var(--c4); }
        svg .line.c5 { stroke: var(--c5); } svg .line.c6 { stroke: var(--c6); } svg .line.c7 { stroke: var(--c7); } svg .line.c8 { stroke: var(--c8); }
        svg .band.c1, svg .dot.c1 { fill: var(--c1); } svg .band.c2, svg .dot.c2 { fill: var(--c2); } svg .dot.c3 { fill: var(--c3); } svg .dot.c4 { fill: var(--c4); }
        svg .dot.c5 { fill: var(--c5); } svg .dot.c6 { fill: var(--c6); } svg .dot.c7 { fill: var(--c7); } svg .dot.c8 { fill: var(--c8); }
        svg .grid { stroke: var(--rule); stroke-width: 1; } svg .axis { stroke: var(--faint); stroke-width: 1; }
        svg text { fill: var(--faint); font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { text-align: left; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; } th { font-size: .85rem; color: var(--faint); font-weight: 600; }
        td.n, th.n { text-align: right; white-space: nowrap; } tr.keep td { font-weight: 600; } td:first-child { min-width: 6.5rem; }
        .sets { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 29rem), 1fr)); gap: 1rem 1.5rem; margin-top: .8rem; }
        .set { display: grid; gap: .4rem; } .set.three { grid-template-columns: repeat(3, 1fr); } .set.six { grid-template-columns: repeat(6, 1fr); }
        .set figcaption { font-size: .75rem; line-height: 1.25; overflow-wrap: anywhere; }
        .set img { width: 100%; height: auto; display: block; border-radius: .25rem; } img.patches { image-rendering: pixelated; } .set .query img { outline: 2px solid var(--ink); outline-offset: 1px; }
        details { margin: .6rem 0; } summary { cursor: pointer; } pre { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: .5rem; padding: .8rem; }
        footer { margin-top: 3rem; color: var(--faint); font-size: .85rem; }
        """;
}
