using System.Globalization;
using JepaSharp.Runtime;
using JepaSharp.Training.Checkpoints;
using JepaSharp.Weights;

namespace JepaSharp.Training;

/// <summary>The folder that holds everything of one run. While this object lives, no other process can open the folder to write.</summary>
/// <remarks>
/// The lock is on the file <c>.lock</c> (<see cref="OutputLock"/>): it ends with the process, however that ends, so there are no stale locks;
/// the file itself stays.
/// </remarks>
public sealed class RunFolder : IDisposable
{
    private const string LockName = ".lock";
    private readonly OutputLock _lock;

    private bool _isNew;
    private string? _config;

    private RunFolder(string path, OutputLock @lock) => (Path, _lock) = (path, @lock);

    /// <summary>Full path of the folder.</summary>
    public string Path { get; }

    /// <summary>The resolved configuration; its presence is what makes a folder a run.</summary>
    public string Config => In("config.yaml");

    /// <summary>One row a step.</summary>
    public string Metrics => In("metrics.csv");

    /// <summary>What was measured beside the loss.</summary>
    public string Measures => In("measures.csv");

    /// <summary>What went wrong, a line each; there where something did.</summary>
    public string Warnings => In("warnings.txt");

    /// <summary>The page that shows the run.</summary>
    public string Report => In("report.html");

    /// <summary>The folder of checkpoints.</summary>
    public string Checkpoints => In("checkpoints");

    /// <summary>The newest checkpoint, a folder.</summary>
    public string LatestCheckpoint => System.IO.Path.Combine(Checkpoints, "latest");

    /// <summary>The weights that the run hands over when it has ended, a folder.</summary>
    public string BestCheckpoint => System.IO.Path.Combine(Checkpoints, Training.Checkpoints.BestCheckpoint.Name);

    /// <summary>The checkpoint kept after <paramref name="epochs"/> finished epochs, a folder: epoch-0005.</summary>
    public string EpochCheckpoint(int epochs) =>
        System.IO.Path.Combine(Checkpoints, string.Create(CultureInfo.InvariantCulture, $"epoch-{epochs:D4}"));

    /// <summary>Where a run goes if nobody says: <c>runs/DATE-TIME-MODEL</c>, a name not yet taken.</summary>
    /// <param name="model">Name of the model.</param>
    /// <param name="root">The folder of runs.</param>
    /// <param name="clock">Gives the local date and time.</param>
    public static string DefaultPath(string model, string root = "runs", TimeProvider? clock = null)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{(clock ?? TimeProvider.System).GetLocalNow():yyyy-MM-dd-HHmmss}-{model}");
        var path = System.IO.Path.Combine(root, name);
        for (var n = 2; System.IO.Path.Exists(path); n++)
            path = System.IO.Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"{name}-{n}"));
        return path;
    }

    /// <summary>Whether a folder holds a run.</summary>
    public static bool HoldsRun(string path) => File.Exists(System.IO.Path.Combine(path, "config.yaml"));

    /// <summary>Makes the folder of a new run; an existing one must be empty.</summary>
    /// <exception cref="JepaException">It holds a run or other files, is a file, cannot be written, or another process has it open.</exception>
    public static RunFolder Create(string path)
    {
        var full = FullPath(path);
        RefuseIfTaken(full);
        var isNew = !Directory.Exists(full);
        var folder = Open(full);
        folder._isNew = isNew;
        try
        {
            RefuseIfTaken(full); // between the first look and the lock, another process may have come and gone
            Directory.CreateDirectory(folder.Checkpoints);
            DiskFlush.Folder(full);
            if (System.IO.Path.GetDirectoryName(full) is { } parent) DiskFlush.Folder(parent);
            return folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            folder.Dispose();
            throw Unwritable(full, e);
        }
        catch (JepaException)
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Opens the folder of a run to go on with it.</summary>
    /// <exception cref="JepaException">It holds no run, cannot be written, or another process has it open.</exception>
    public static RunFolder Resume(string path)
    {
        var full = FullPath(path);
        if (!HoldsRun(full))
        {
            var found = Directory.Exists(full) ? "has no config.yaml, so it is not a run" : "does not exist";
            throw new JepaException(
                $"There is no run to resume: {full} {found}. Give the folder of an earlier run, or start a new one without --resume.", isUsage: true);
        }

        return Open(full);
    }

    /// <summary>Writes the resolved configuration, which makes the folder a run.</summary>
    /// <param name="yaml">What <see cref="Config"/> will hold.</param>
    /// <exception cref="JepaException">The folder cannot be written.</exception>
    public void WriteConfig(string yaml)
    {
        DurableFile.Write(Config, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(yaml)));
        _config = yaml;
    }

    /// <summary>Makes the folder again, with its configuration, if somebody took it away while the run went on.</summary>
    /// <returns>Whether it was gone.</returns>
    /// <exception cref="JepaException">It cannot be made.</exception>
    /// <exception cref="IOException">It cannot be made.</exception>
    internal bool MakeAgainIfGone()
    {
        if (HoldsRun(Path))
        {
            _config ??= File.ReadAllText(Config);
            Directory.CreateDirectory(Checkpoints);
            return false;
        }

        Directory.CreateDirectory(Checkpoints);
        if (_config is not null) WriteConfig(_config);
        return _config is not null;
    }

    /// <summary>Lets other processes open the folder; one that never became a run is taken away again.</summary>
    public void Dispose()
    {
        _lock.Dispose();
        if (_isNew && !HoldsRun(Path)) TryRemove();
    }

    private void TryRemove()
    {
        try
        {
            File.Delete(In(LockName));
            if (Directory.Exists(Checkpoints)) Directory.Delete(Checkpoints);
            Directory.Delete(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Somebody put something into it: it stays.
        }
    }

    private static RunFolder Open(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
            return OutputLock.TryTake(System.IO.Path.Combine(path, LockName), stays: true) is { } taken
                ? new RunFolder(path, taken)
                : throw new JepaException($"Another process is training in {path} at this moment. Wait for it, stop it, or write to another folder.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, e);
        }
    }

    private static void RefuseIfTaken(string path)
    {
        if (File.Exists(path)) throw new JepaException($"{path} is a file; the output of a run is a folder. Give another path.", isUsage: true);
        if (!Directory.Exists(path)) return;
        if (HoldsRun(path))
            throw new JepaException(
                $"{path} already holds a run, which is not overwritten. Go on with it (--resume), or give another folder.", isUsage: true);
        if (FirstStranger(path) is { } name)
            throw new JepaException($"{path} is not empty (it holds {name}) and is not a run. Give a new or an empty folder.", isUsage: true);
    }

    /// <summary>A file that no run which died before it began would have left.</summary>
    private static string? FirstStranger(string path)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(path).Select(p => System.IO.Path.GetFileName(p)!).FirstOrDefault(n => !IsLeftOver(path, n));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, e);
        }
    }

    private static bool IsLeftOver(string path, string name) => name == LockName
        || (name.StartsWith("config.yaml.", StringComparison.Ordinal) && name.EndsWith(".partial", StringComparison.Ordinal))
        || (name == "checkpoints" && CheckpointFolders.HoldsNoTraining(System.IO.Path.Combine(path, name)));

    private static string FullPath(string path)
    {
        if (string.IsNullOrWhiteSpace(path) || path.Contains('\0', StringComparison.Ordinal))
            throw new JepaException("The output folder's name is empty or holds a null character. Give a path.", isUsage: true);
        return System.IO.Path.GetFullPath(path);
    }

    private static JepaException Unwritable(string path, Exception cause) =>
        new($"{path} cannot be written: {cause.Message} Give a folder that you may write to (--out).", inner: cause);

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
