using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Runtime;

namespace JepaSharp.Training.Checkpoints;

/// <summary>The checkpoints of a run on disk: <c>latest</c>, and <c>epoch-0005</c> for those that are kept.</summary>
/// <remarks>
/// Each is written under a temporary name, flushed to disk with its folder, and only then renamed; the latest one's predecessor is moved
/// aside before and removed after. So at every moment, whatever happens in the next, a complete checkpoint is on disk, and a name that
/// looks like a checkpoint's holds a complete one.
/// </remarks>
internal sealed class CheckpointFolders(RunFolder run)
{
    internal const string Partial = ".partial";
    private const string Previous = ".previous";
    private const string EpochPrefix = "epoch-";

    /// <summary>Every folder that should hold a complete checkpoint, those that are probably newer first.</summary>
    public IReadOnlyList<string> Candidates() =>
        [.. new[] { run.LatestCheckpoint, run.LatestCheckpoint + Previous }.Where(Directory.Exists), .. Epochs().AsEnumerable().Reverse()];

    /// <summary>Whether all that a folder of checkpoints holds is what a run leaves that died before its first step.</summary>
    public static bool HoldsNoTraining(string checkpoints)
    {
        var latest = Path.Combine(checkpoints, "latest");
        if (Directory.EnumerateFileSystemEntries(checkpoints).Any(e => e != latest && e != latest + Partial)) return false;
        if (!Directory.Exists(latest)) return true;
        try
        {
            return CheckpointState.Read(latest).Step == 0;
        }
        catch (JepaException)
        {
            return false;
        }
    }

    /// <summary>Writes the latest checkpoint.</summary>
    /// <exception cref="JepaException">The disk is full or not writable: the one before is still there, and nothing half-written.</exception>
    public void WriteLatest(CheckpointSnapshot snapshot)
    {
        var (latest, previous) = (run.LatestCheckpoint, run.LatestCheckpoint + Previous);
        WriteBeside(latest, partial => TrainingCheckpoint.Write(partial, snapshot));
        if (Directory.Exists(latest))
        {
            DeleteFolder(previous);
            Renaming.OfFolder(latest, previous);
        }

        Renaming.OfFolder(latest + Partial, latest);
        DiskFlush.Folder(run.Checkpoints);
        TryDelete(previous); // on Windows not while somebody reads it: the next one tries again
    }

    /// <summary>Keeps the latest checkpoint under the number of finished epochs too, in files of its own, and drops what need not be kept any
    /// longer.</summary>
    /// <exception cref="IOException">The disk is full or not writable.</exception>
    public void KeepEpoch(int epochs, LoggingOptions logging)
    {
        var target = run.EpochCheckpoint(epochs);
        WriteBeside(target, partial => Copy(run.LatestCheckpoint, partial));
        DeleteFolder(target);
        Renaming.OfFolder(target + Partial, target);
        DiskFlush.Folder(run.Checkpoints);
        Prune(logging);
    }

    /// <summary>Writes a folder under a temporary name, and flushes it; whoever calls renames it.</summary>
    internal static void WriteBeside(string path, Action<string> write)
    {
        var partial = path + Partial;
        try
        {
            DeleteFolder(partial);
            Directory.CreateDirectory(partial);
            write(partial);
            DiskFlush.Folder(partial);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JepaException)
        {
            TryDelete(partial); // on a full disk, half a checkpoint is in the way
            throw;
        }
    }

    /// <summary>Copies a checkpoint's files into a folder, and flushes them.</summary>
    internal static void Copy(string checkpoint, string folder)
    {
        foreach (var file in Directory.EnumerateFiles(checkpoint))
        {
            var copy = Path.Combine(folder, Path.GetFileName(file));
            File.Copy(file, copy);
            using var handle = File.OpenHandle(copy, FileMode.Open, FileAccess.ReadWrite);
            DiskFlush.File(handle, copy);
        }
    }

    private List<string> Epochs() => !Directory.Exists(run.Checkpoints)
        ? []
        : [.. Directory.EnumerateDirectories(run.Checkpoints, EpochPrefix + "*").Where(d => EpochOf(d) is not null).OrderBy(EpochOf)];

    private static int? EpochOf(string directory) =>
        int.TryParse(Path.GetFileName(directory)[EpochPrefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
            ? epoch : null;

    private void Prune(LoggingOptions logging)
    {
        if (logging.KeepLast is not { } keep) return;
        foreach (var old in Epochs().SkipLast(keep))
        {
            if (logging.KeepEvery is { } every && EpochOf(old) % every == 0) continue;
            DeleteFolder(old);
        }
    }

    internal static void DeleteFolder(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }

    private static void TryDelete(string path)
    {
        try
        {
            DeleteFolder(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The failure before this one is the one to tell.
        }
    }
}
