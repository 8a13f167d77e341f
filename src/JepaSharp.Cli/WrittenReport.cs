using JepaSharp.Cli.Display;
using JepaSharp.Models;
using JepaSharp.Monitoring;
using JepaSharp.Reports;
using JepaSharp.Runtime;
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
        using var claim = Directory.Exists(folder) ? OutputLock.Beside(Path.Combine(folder, RunReport.FileName), "writing") : null;
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
            var checkpoints = CheckpointRanking.Some(run.Folder, MostCheckpoints);
            var progress = new CountProgress(terminal, "report: checkpoints", checkpoints.Count);
            var ranking = run.RankCheckpoints(checkpoints, progress, cancellation);
            progress.Finish();
            foreach (var leftOut in ranking.LeftOut) terminal.Error.WriteLine("note: " + leftOut);
            using var trained = NewestEncoder(run, ranking);
            return RunReport.Write(run.Folder, run.Source, RunMonitors.Transform(run.Plan.Options.Data), trained, run.Device, ranking, cancellation);
        }
    }

    /// <summary>The target encoder of the newest checkpoint that was measured, or of the run's latest where that one has been removed since.</summary>
    private static VisionTransformer NewestEncoder(FinishedRun run, CheckpointRanking ranking)
    {
        try
        {
            return Load(ranking.Ranked.MaxBy(c => c.Step)!.Path);
        }
        catch (JepaException)
        {
            return Load(run.Folder);
        }

        VisionTransformer Load(string path)
        {
            using var weights = PretrainedWeights.Open(path, run.Plan.Encoder.Heads);
            return PretrainedNetworks.LoadEncoder(weights, device: run.Device);
        }
    }
}
