using JepaSharp.Cli.Display;
using JepaSharp.Reports;
using JepaSharp.Runs;
using JepaSharp.Runtime;

namespace JepaSharp.Cli;

/// <summary>Writes the page of a run from its folder, as much of it as can be had.</summary>
internal static class WrittenReport
{
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
            var checkpoints = run.CheckpointsToShow();
            var progress = new CountProgress(terminal, "report: checkpoints", checkpoints.Count);
            var ranking = run.RankCheckpoints(checkpoints, progress, cancellation);
            progress.Finish();
            foreach (var leftOut in ranking.LeftOut) terminal.Error.WriteLine("note: " + leftOut);
            return run.WriteReport(ranking, cancellation);
        }
    }
}
