using System.Globalization;
using JepaSharp.Cli.Display;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Evaluation.Tasks;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Evaluation;

/// <summary>Rows of results as tables: one of classes, one of numbers.</summary>
internal static class ResultTables
{
    /// <summary>The tables that the rows need.</summary>
    public static IEnumerable<ResultTable> Of(IReadOnlyList<ResultRow> rows)
    {
        var (classes, numbers) = (rows.Where(r => r.Scores.ContainsKey("accuracy")).ToList(), rows.Where(r => r.Scores.ContainsKey("r2")).ToList());
        if (classes.Count > 0)
        {
            var table = new ResultTable(
                "classes, on the test images (* counts)", "", "features", "probe", "settings", "held out", "accuracy", "mean per class", "time");
            foreach (var row in classes)
                table.Add(Mark(row), row.Features, row.Probe, Settings(row), row.HeldOut is { } held ? Percent(held) : "-", Accuracy(row),
                    Percent(row.Scores["mean_per_class_accuracy"]), Time(row));
            yield return table;
        }

        if (numbers.Count > 0)
        {
            var table = new ResultTable(
                "numbers, on the test images (* counts)", "", "features", "probe", "settings", "R2", "mean error", "right when rounded", "time");
            foreach (var row in numbers)
                table.Add(Mark(row), row.Features, row.Probe, Settings(row), Number(row.Scores["r2"]), Number(row.Scores["mean_absolute_error"]),
                    Percent(row.Scores["rounded_accuracy"]), Time(row));
            yield return table;
        }
    }

    /// <summary>A row's score and time in a few words.</summary>
    public static string Line(ResultRow row) =>
        (row.Scores.ContainsKey("accuracy") ? $"accuracy {Accuracy(row)}" : $"R2 {Number(row.Scores["r2"])}") + $", {Time(row)}";

    private static string Mark(ResultRow row) => row.IsChosen ? "*" : " ";

    private static string Settings(ResultRow row) =>
        string.Join(", ", row.Settings.Where(s => s.Key is not ("neighbours" or "temperature")).Select(
            s => string.Create(CultureInfo.InvariantCulture, $"{s.Key.Replace('_', ' ')} {s.Value:G3}")));

    private static string Accuracy(ResultRow row) => row.Scores.TryGetValue("accuracy_deviation", out var deviation)
        ? string.Create(CultureInfo.InvariantCulture, $"{100 * row.Scores["accuracy"]:F1} ± {100 * deviation:F1}%")
        : Percent(row.Scores["accuracy"]);

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:F1}%");

    private static string Number(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:F3}");

    private static string Time(ResultRow row) => string.Create(CultureInfo.InvariantCulture, $"{row.Seconds:F1} s");
}

/// <summary>Runs a probe on each kind of features, one after the other.</summary>
internal static class ProbeRows
{
    /// <summary>The rows: the encoder's, one of them marked; then, if asked for, those of the baselines and of the commonest class; and, where raw
    /// pixels are ahead, of them beside the encoder's features.</summary>
    public static IReadOnlyList<ResultRow> Of(
        ProbeTask task, IReadOnlyList<FeaturePair> features, MatchedClasses classes, bool baselines, Terminal terminal, StopSignals stop)
    {
        var rows = new List<ResultRow>();
        LabelledFeatures? first = null;
        foreach (var pair in features) Add(pair);
        if (RawPixelRival.IsAhead(rows) && FeaturePair.SideBySide(features) is { } both) Add(both);
        if (baselines) rows.Add(ProbeTask.Majority(first!));
        return FeatureChoice.Mark(rows);

        void Add(FeaturePair pair)
        {
            stop.Token.ThrowIfCancellationRequested();
            var labelled = new LabelledFeatures(pair.Name, classes.Fit(pair.Fit), classes.Test(pair.Test), pair.Kind);
            first ??= labelled;
            terminal.Error.WriteLine(
                $"{task.Name} on {pair.Name}: {Quantity.Of(labelled.Fit.Count, "image")} of {labelled.Fit.Classes} classes, "
                    + Quantity.Of(labelled.Fit.Features.Width, "feature"));
            foreach (var row in task.Run(labelled))
            {
                rows.Add(row);
                // a probe takes minutes: what is known is said, and not lost if the next is stopped
                terminal.Error.WriteLine("  " + ResultTables.Line(row));
            }
        }
    }
}
