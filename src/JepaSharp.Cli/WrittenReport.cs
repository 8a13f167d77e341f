using JepaSharp.Cli.Display;
using JepaSharp.Configuration;
using JepaSharp.Monitoring;
using JepaSharp.Reports;
using JepaSharp.Runs;
using JepaSharp.Runtime;
using JepaSharp.Training;

namespace JepaSharp.Cli;

/// <summary>Writes the page of a run from its folder, as much of it as can be had.</summary>
internal static class WrittenReport
{
    /// <summary>Writes <c>report.html</c>.</summary>
    /// <param name="folder">The run.</param>
    /// <param name="data">Images instead of the run's own; null for those.</param>
    /// <param name="device">Where to compute; null for auto.</param>
    /// <param name="terminal">For progress and notes.</param>
    /// <param name="images">How many images it may look at, so that it stays a share of a run; null for no such bound.</param>
    /// <param name="handsOver">Whether the run has just ended, and hands over the best of its checkpoints.</param>
    /// <param name="cancellation">Stops between batches of images.</param>
    /// <returns>Its path.</returns>
    /// <exception cref="JepaException">There is no run in the folder.</exception>
    public static string Write(string folder, string? data, string? device, Terminal terminal, double? images, bool handsOver,
        CancellationToken cancellation)
    {
        using var claim = Directory.Exists(folder) ? OutputLock.Beside(Path.Combine(folder, RunReport.FileName), "writing") : null;
        if (ObjectiveOf(folder) is { } objective && !KnownObjectives.Names.Contains(objective))
        {
            var why = $"There are no pictures, and no checkpoints are compared: {objective} cannot be built from a configuration alone.";
            terminal.Error.WriteLine(why);
            return RunReport.WriteWithoutPictures(folder, why);
        }

        FinishedRun run;
        try
        {
            run = FinishedRun.Open(folder, data, device: device);
        }
        catch (JepaException e) when (File.Exists(Path.Combine(folder, "config.yaml")) && data is null)
        {
            // The images have moved: what the run wrote down is still worth a page.
            terminal.Error.WriteLine($"the report has no pictures: {e.Message}");
            return RunReport.WriteWithoutPictures(folder, $"There are no pictures: {e.Message}");
        }

        using (run)
        {
            foreach (var note in run.Notes) terminal.Error.WriteLine("note: " + note);
            var checkpoints = run.CheckpointsToShow(images);
            if (checkpoints.Count == 0)
            {
                terminal.Error.WriteLine(
                    $"note: the report does not rank checkpoints, which would take longer than the steps did; jepa report {run.Folder} does");
                return run.WriteReport(null, images, cancellation);
            }

            var progress = new CountProgress(terminal, "report: checkpoints", checkpoints.Count);
            var ranking = run.RankCheckpoints(checkpoints, progress, cancellation);
            progress.Finish();
            foreach (var leftOut in ranking.LeftOut) terminal.Error.WriteLine("note: " + leftOut);
            if (handsOver) HandOver(run, ranking, terminal);
            return run.WriteReport(ranking, images, cancellation);
        }
    }

    /// <summary>Weights that cannot be copied are still there as the last checkpoint.</summary>
    private static void HandOver(FinishedRun run, CheckpointRanking ranking, Terminal terminal)
    {
        try
        {
            terminal.Error.WriteLine($"handed over as checkpoints/best: {run.HandOver(ranking)}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            terminal.Error.WriteLine(
                $"note: checkpoints/best cannot be written: {e.Message} Where the run is asked for weights, its last are taken.");
        }
    }

    private static string? ObjectiveOf(string folder) =>
        RunFolder.HoldsRun(folder) ? PretrainOptions.Load(Path.Combine(folder, "config.yaml")).Meta.Objective : null;
}
