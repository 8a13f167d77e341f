using System.Globalization;
using JepaSharp.Cli.Display;
using JepaSharp.Studies;
using JepaSharp.Training;

namespace JepaSharp.Cli.Studies;

/// <summary>What a study would run, as <c>jepa compare --dry-run</c> prints it.</summary>
internal static class StudyPlanReport
{
    /// <summary>Prints the table, and the time of all that is missing.</summary>
    public static void Print(StudyRunner runner, IReadOnlyList<PlannedRun> runs, int parallel, Terminal terminal, CancellationToken stop)
    {
        runner.RequireMinutes(stop);
        var table = new ResultTable(
            $"{runner.Plan.Study.Name}: {runner.Plan.Study.Budget} a run",
            "run", "state", "steps", "images", "operations", "minutes", "minutes from");
        var whole = TimeSpan.Zero;
        foreach (var run in runs)
        {
            stop.ThrowIfCancellationRequested();
            if (runner.Records.TryGetValue(run.Key, out var record))
            {
                table.Add(run.Key, "done", Text($"{record.Steps:n0}"), Text($"{record.ImagesSeen:n0}"), Operations(record.Operations),
                    Text($"{record.Seconds / 60:F2}"), "its record");
                continue;
            }

            if (run.IsUntrained)
            {
                table.Add(run.Key, "missing", "0", "0", Operations(0), "0", "-");
                continue;
            }

            var (time, source) = runner.TimeOfStep(run.Variant, stop);
            var steps = runner.StepsOf(run) ?? (long)(TimeSpan.FromMinutes(runner.Plan.Study.Budget.Amount) / time);
            var state = RunFolder.HoldsRun(runner.RunFolderOf(run)) ? "begun" : "missing";
            whole += time * steps;
            table.Add(
                run.Key, state, Text($"{steps:n0}"), Text($"{steps * run.Variant.ImagesPerStep:n0}"),
                Operations(steps * run.Variant.OperationsPerStep), Text($"{time.TotalMinutes * steps:F2}"),
                source == "measured" ? "a short measurement" : $"{source} runs");
        }

        table.Print(terminal);
        var sideBySide = parallel > 1 ? Text($", {parallel} at a time with a share of the cores each, which was not measured") : "";
        terminal.Out.WriteLine(
            $"training what is missing: {ProgressLine.Duration(whole)}; what is begun is counted whole, evaluations are not counted{sideBySide}");
    }

    private static string Operations(double? count) => count is { } number ? Text($"{number:0.00e0}") : "not counted";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
