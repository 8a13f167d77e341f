using System.Security.Cryptography;

namespace JepaSharp.Runtime;

/// <summary>Says that this process is writing an output: while it is held, no other process (and nobody else in this one) can take it.</summary>
/// <remarks>
/// The lock is the operating system's, on a small file of its own, and ends with the process, however that ends: a file that a crash left
/// behind does not
/// block. Two machines that share a file system see each other's locks where the file system carries them.
/// </remarks>
public sealed class OutputLock : IDisposable
{
    /// <summary>What the lock of an output is called after it.</summary>
    public const string Extension = ".lock";

    private readonly FileStream _stream;
    private readonly bool _stays;
    private bool _released;

    private OutputLock(FileStream stream, bool stays) => (_stream, _stays) = (stream, stays);

    /// <summary>Takes the lock of an output, a file beside it that goes when the lock does.</summary>
    /// <param name="output">The file or folder to be written.</param>
    /// <param name="doing">What whoever holds the lock is doing, before the path: "embedding into".</param>
    /// <param name="makeFolder">Whether the folder that the output lies in is made if need be.</param>
    /// <exception cref="JepaException">Somebody else is writing it, or nothing can be written there.</exception>
    public static OutputLock Beside(string output, string doing, bool makeFolder = false)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(output));
        try
        {
            if (makeFolder && Path.GetDirectoryName(full) is { } parent) Directory.CreateDirectory(parent);
            return TryTake(full + Extension)
                ?? throw new JepaException($"Another process is {doing} {output} at this moment. Wait for it, stop it, or give another --out.");
        }
        catch (DirectoryNotFoundException e)
        {
            var (folder, name) = (Path.GetDirectoryName(full), Path.GetFileName(full));
            throw new JepaException($"There is no folder {folder} to write {name} into. Make it, or give another --out.", isUsage: true, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JepaException($"{output} cannot be written: {e.Message} Give a place that you may write to.", inner: e);
        }
    }

    /// <summary>Takes a lock, unless somebody else holds it.</summary>
    /// <param name="lockFile">The lock's own file.</param>
    /// <param name="stays">Whether the file stays when the lock is let go.</param>
    /// <returns>The lock; null where somebody else holds it.</returns>
    /// <exception cref="IOException">The file cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be made.</exception>
    public static OutputLock? TryTake(string lockFile, bool stays = false)
    {
        while (true)
        {
            FileStream stream;
            try
            {
                // Windows lets nobody remove a file that is held, so there the system does it when it is let go.
                var goes = OperatingSystem.IsWindows() && !stays ? FileOptions.DeleteOnClose : FileOptions.None;
                stream = new FileStream(lockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, goes);
            }
            catch (IOException e) when (IsHeld(e))
            {
                return null;
            }

            if (stays || IsStillAt(lockFile, stream)) return new OutputLock(stream, stays);
            stream.Dispose(); // its holder took it away between our opening and our locking it
        }
    }

    /// <summary>Lets others write.</summary>
    public void Dispose()
    {
        if (_released) return;
        _released = true;
        if (!_stays && !OperatingSystem.IsWindows()) Remove(_stream.Name); // while it is held, so that only a holder ever removes it
        _stream.Dispose();
    }

    /// <summary>Whether a name still leads to the file that was opened, told by a length that hardly anybody else gives it.</summary>
    private static bool IsStillAt(string path, FileStream stream)
    {
        var length = RandomNumberGenerator.GetInt32(1, 1 << 16);
        stream.SetLength(length);
        return OperatingSystem.IsWindows() || (new FileInfo(path) is { Exists: true } there && there.Length == length);
    }

    // EWOULDBLOCK on Linux and macOS, ERROR_SHARING_VIOLATION on Windows.
    private static bool IsHeld(IOException e) => e.HResult is 11 or 35 or unchecked((int)0x80070020);

    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It stays, and blocks nobody.
        }
    }
}
