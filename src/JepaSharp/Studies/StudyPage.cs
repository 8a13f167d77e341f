using System.Text;
using JepaSharp.Data;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Objectives;
using JepaSharp.Reports;
using JepaSharp.Runs;
using JepaSharp.Runtime;
using JepaSharp.Training;
using static JepaSharp.Reports.HtmlText;
using static TorchSharp.torch;

namespace JepaSharp.Studies;

/// <summary>The page that shows a study: one file, with its style and pictures inside, without scripts, that opens anywhere.</summary>
internal static class StudyPage
{
    private const int Shown = 2, LargestSide = 144;

    /// <summary>The page as HTML.</summary>
    public static string Of(StudyRunner runner, StudyTable table)
    {
        var study = runner.Plan.Study;
        var html = new StringBuilder();
        html.Append($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{Escape(study.Name)} - JepaSharp</title>
            <style>
            {ReportStyle.Css}
            </style>
            </head>
            <body>
            <h1>{Escape(study.Name)}</h1>
            <p class="lead">{study.Variants.Count} variants of one configuration, {study.Seeds.Count} seeds each, {Escape(study.Budget.ToString())} a run.</p>

            """);
        foreach (var note in table.Notes) html.Append($"<p class=\"note\">{Escape(note)}</p>\n");
        html.Append(Table(table)).Append(StudyCharts.Of(runner, table)).Append(Differences(runner.Plan.Variants)).Append(Masks(runner.Plan));
        html.Append("<footer>Written by JepaSharp. This file needs no other: it can be moved and sent.</footer>\n</body>\n</html>\n");
        return html.ToString();
    }

    private static string Table(StudyTable table)
    {
        var heads = string.Concat(table.Evaluations.Select(e => $"<th class=\"n\">{Escape(e.Name)}, {e.Metric}</th>"));
        var rows = table.Rows.Select(row =>
            $"<tr><td>{Escape(row.Name)}</td><td class=\"n\">{StudyTable.RunsText(row)}</td>"
            + string.Concat(row.Scores.Zip(table.Evaluations, (s, e) => $"<td class=\"n\">{StudyTable.Text(s, e.Metric)}</td>"))
            + $"<td class=\"n\">{Count((long)row.Steps)}</td><td class=\"n\">{StudyTable.OperationsText(row)}</td>"
            + $"<td class=\"n\">{Number(row.Seconds / 60)}</td></tr>\n");
        return $"""
            <h2>What came of it</h2>
            <p>Mean and deviation over seeds, of scores on {Escape(table.Runner.Plan.Study.ScoredOn)}. Settings of probes were chosen on a part of the images that they were fitted on. Operations are counted from shapes (matrix products, forward and backward);
            minutes are those of the steps, waits for images included.</p>
            <div class="scroll"><table><tr><th>variant</th><th class="n">runs</th>{heads}<th class="n">steps</th><th class="n">operations</th><th class="n">minutes</th></tr>
            {string.Concat(rows)}</table></div>

            """;
    }

    private static string Differences(IReadOnlyList<PlannedVariant> variants)
    {
        var varied = StudyIdentity.Varied(variants);
        if (varied.Count == 0) return "";
        var heads = string.Concat(variants.Select(v => $"<th>{Escape(v.Name)}</th>"));
        var rows = varied.Select(
            key => $"<tr><td><code>{Escape(key.Key)}</code></td>{string.Concat(key.Values.Select(v => $"<td>{Escape(v)}</td>"))}</tr>\n");
        return $"<h2>What differs</h2>\n<div class=\"scroll\"><table><tr><th>key</th>{heads}</tr>\n{string.Concat(rows)}</table></div>\n";
    }

    /// <summary>What each variant is asked, on images of its own; nothing where its objective shows none, or an image cannot be read.</summary>
    private static string Masks(StudyPlan plan)
    {
        var html = new StringBuilder();
        foreach (var variant in plan.Variants)
        {
            try
            {
                html.Append(Masks(variant));
            }
            catch (JepaException e)
            {
                html.Append($"<p class=\"note warning\">No pictures of {Escape(variant.Name)}: {Escape(e.Message)}</p>\n");
            }
        }

        return html.Length == 0 ? "" : $"<h2>What each is asked</h2>\n{html}";
    }

    private static string Masks(PlannedVariant variant)
    {
        var plan = new PretrainPlan(variant.Options);
        using var objective = KnownObjectives.Create(plan, META);
        using var source = variant.Options.Data.OpenSource();
        var (images, indices) = Images(source, variant);
        if (images.Count == 0) return "";
        var zoom = Math.Max(1, LargestSide / images[0].Width);
        if (objective.Draw(images, indices, Step.Untracked(plan.Seed), zoom) is not { } drawn) return "";
        var rows = string.Concat(images.Zip(drawn.Rows, (image, row) =>
            $"<div class=\"set three\">{PictureFigure.Of(image, "image")}"
            + $"{string.Concat(row.Select(p => PictureFigure.Of(p.Picture, p.Caption)))}</div>\n"));
        return $"<h3>{Escape(variant.Name)}</h3>\n<p>{Escape(drawn.Text)}</p>\n<div class=\"sets\">\n{rows}</div>\n";
    }

    private static (IReadOnlyList<RgbImage> Images, int[] Indices) Images(ImageSource source, PlannedVariant variant)
    {
        var order = Enumerable.Range(0, source.Count).ToArray();
        new RandomStream(0, RandomPurpose.Evaluation, epoch: 2).Shuffle(order.AsSpan());
        var (images, indices) = (new List<RgbImage>(), new List<int>());
        var transform = RunMonitors.Transform(variant.Options.Data);
        foreach (var batch in new ImageReader(source, transform, Shown).Read(order[..Math.Min(Shown, order.Length)], CancellationToken.None))
        {
            var bytes = batch.Height * batch.Width * 3;
            for (var i = 0; i < batch.Count; i++)
            {
                images.Add(new RgbImage(batch.Width, batch.Height, batch.Pixels.AsSpan(i * bytes, bytes).ToArray()));
                indices.Add(batch.Indices[i]);
            }
        }

        return (images, [.. indices]);
    }
}

/// <summary>Scores against what they cost.</summary>
internal static class StudyCharts
{
    private const int Colours = 8;

    /// <summary>
    /// A chart for each evaluation and each kind of cost: a point a run, a line from the untrained encoder to the mean of a variant.
    /// </summary>
    public static string Of(StudyRunner runner, StudyTable table)
    {
        var html = new StringBuilder();
        var (unit, size) = OperationsUnit(runner.Records.Values.Select(r => r.Operations ?? 0).DefaultIfEmpty().Max());
        foreach (var (name, metric) in table.Evaluations)
        {
            html.Append(Chart(runner, name, metric, $"operations, {unit}", r => r.Operations / size))
                .Append(Chart(runner, name, metric, "minutes", r => r.Seconds / 60));
        }

        return html.Length == 0 ? "" : $"<h2>Against what it cost</h2>\n<div class=\"charts\">\n{html}</div>\n";
    }

    private static string Chart(StudyRunner runner, string name, string metric, string cost, Func<StudyRecord, double?> of)
    {
        const string note = "A point a run; the line of a variant leads from the untrained encoder to the mean of its runs.";
        var factor = metric == "accuracy" ? 100 : 1;
        var title = $"{name} against {cost.Split(',')[0]}";
        var chart = new LineChart(title, metric == "accuracy" ? "accuracy, %" : metric, note, axis: cost);
        foreach (var (order, variant) in runner.Plan.Variants.Index())
        {
            var points = Points(variant.Name);
            if (points.Count == 0) continue;
            var begin = Points(runner.Plan.Runs.First(r => r.IsUntrained && SharesShape(r.Variant, variant)).Row);
            var end = (points.Average(p => p.Cost), points.Average(p => p.Score));
            chart.Add(new ChartLine(variant.Name, begin.Count == 0 ? [end] : [(0, begin.Average(p => p.Score)), end], (order % Colours) + 1)
            {
                Marks = points,
            });
        }

        return chart.ToHtml();

        List<(double Cost, double Score)> Points(string row) =>
            [.. runner.Plan.Runs.Where(r => r.Row == row).Select(r => runner.Records.GetValueOrDefault(r.Key)).OfType<StudyRecord>()
                .Where(r => of(r) is not null).Select(r => (of(r)!.Value, factor * r.ScoreOf(name)))];
    }

    private static bool SharesShape(PlannedVariant a, PlannedVariant b) =>
        new PretrainPlan(a.Options).Encoder == new PretrainPlan(b.Options).Encoder && a.Options.Data.Mean == b.Options.Data.Mean
        && a.Options.Data.Std == b.Options.Data.Std;
}
