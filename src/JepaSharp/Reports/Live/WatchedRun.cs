using JepaSharp.Runtime;

namespace JepaSharp.Reports;

/// <summary>A run folder that is read again when its files have changed.</summary>
/// <param name="Name">Below the folder that is watched, with forward slashes.</param>
/// <param name="Folder">Full path.</param>
internal sealed record WatchedRun(string Name, string Folder)
{
    private static readonly string[] Files = ["config.yaml", "metrics.csv", "measures.csv", "warnings.txt", RunMachine.FileName];
    private (DateTime Written, long Bytes)? _read;

    /// <summary>What the files said when they were last read; null where they could not be.</summary>
    public RunRecord? Record { get; private set; }

    /// <summary>Why they could not be read; null where they could.</summary>
    public string? Problem { get; private set; }

    /// <summary>How far the run is; null where its files could not be read.</summary>
    public RunProgress? Progress { get; private set; }

    /// <summary>Reads what has changed.</summary>
    /// <param name="now">UTC.</param>
    public void Refresh(DateTime now)
    {
        FileInfo[] files = [.. Files.Select(name => new FileInfo(Path.Combine(Folder, name))).Where(file => file.Exists)];
        if (files.Length == 0)
        {
            (Record, Progress, Problem, _read) = (null, null, "The run's folder is gone.", null);
            return;
        }

        var state = (files.Max(file => file.LastWriteTimeUtc), files.Sum(file => file.Length));
        try
        {
            if (_read != state || Record is null) Record = RunRecord.Read(Folder);
            (Problem, _read) = (null, state);
            var report = new FileInfo(Path.Combine(Folder, RunReport.FileName));
            Progress = RunProgress.Of(Record, state.Item1, report.Exists ? report.LastWriteTimeUtc : null, now);
        }
        catch (Exception e) when (e is JepaException or IOException or UnauthorizedAccessException or FormatException)
        {
            (Record, Progress, Problem, _read) = (null, null, e.Message, null);
        }
    }
}
