using JepaSharp.Cli.Display;
using JepaSharp.Configuration;
using JepaSharp.Monitoring;
using JepaSharp.Reports;
using JepaSharp.Runtime;
using JepaSharp.Training;
using JepaSharp.Weights;

namespace JepaSharp.Cli;

/// <summary>Writes the page of a run from its folder, as much of it as can be had.</summary>
internal static class WrittenReport
{
    /// <summary>A report is wanted soon after a run; <c>jepa evaluate checkpoints</c> measures them all.</summary>
    private const int MostCheckpoints = 8;

    /// <summary>Writes <c>report.html</c>.</summary>
    /// <returns>Its path.</returns>
    /// <exception cref="JepaException">There is no run in the folder.</exception>
    public static string Write(string folder, string? data, string? device, Terminal terminal, CancellationToken cancellation)
    {
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
            var checkpoints = CheckpointRanking.Some(run.Folder, MostCheckpoints);
            var progress = new CountProgress(terminal, "report: checkpoints", checkpoints.Count);
            var ranking = run.RankCheckpoints(checkpoints, progress, cancellation);
            progress.Finish();
            using var weights = PretrainedWeights.Open(checkpoints[^1].Path, run.Plan.Encoder.Heads);
            using var trained = PretrainedNetworks.LoadEncoder(weights, device: run.Device);
            return RunReport.Write(run.Folder, run.Source, RunMonitors.Transform(run.Plan.Options.Data), trained, run.Device, ranking, cancellation);
        }
    }

    private static string? ObjectiveOf(string folder) =>
        RunFolder.HoldsRun(folder) ? PretrainOptions.Load(Path.Combine(folder, "config.yaml")).Meta.Objective : null;
}
