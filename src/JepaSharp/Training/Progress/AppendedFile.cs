using JepaSharp.Runtime;
using Microsoft.Win32.SafeHandles;

namespace JepaSharp.Training.Progress;

/// <summary>A file that only grows. What is appended waits in memory until a flush, at most a second or so.</summary>
/// <remarks>A flush that fails (a full disk) loses nothing: the same bytes go to the same place at the next one.</remarks>
internal sealed class AppendedFile : IDisposable
{
    private static readonly TimeSpan FlushInterval = TimeSpan.FromSeconds(1);

    private readonly SafeFileHandle _handle;
    private readonly TimeProvider _clock;
    private readonly MemoryStream _pending = new();
    private long _length;
    private long _lastFlush;
    private bool _isNamedOnDisk;

    /// <param name="path">The file; created when <paramref name="length"/> is 0 and it is missing.</param>
    /// <param name="length">Bytes of it to keep; what follows is cut off.</param>
    /// <param name="clock">Says when a second has passed.</param>
    public AppendedFile(string path, long length = 0, TimeProvider? clock = null)
    {
        (Path, _length, _clock) = (path, length, clock ?? TimeProvider.System);
        _handle =
            File.OpenHandle(path, length == 0 ? FileMode.OpenOrCreate : FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        if (RandomAccess.GetLength(_handle) != length) RandomAccess.SetLength(_handle, length);
        _lastFlush = _clock.GetTimestamp();
    }

    public string Path { get; }

    /// <summary>Whether something appended is not yet in the file.</summary>
    public bool HasUnwritten => _pending.Length > 0;

    /// <summary>Adds bytes, and flushes if the last flush was a while ago.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        _pending.Write(bytes);
        if (_clock.GetElapsedTime(_lastFlush) >= FlushInterval) Flush();
    }

    /// <summary>Hands everything to the system; with <paramref name="toDisk"/>, waits until it would survive a power loss.</summary>
    /// <exception cref="IOException">The disk is full, or the file was taken away.</exception>
    public void Flush(bool toDisk = false)
    {
        _lastFlush = _clock.GetTimestamp();
        RandomAccess.Write(_handle, _pending.GetBuffer().AsSpan(0, (int)_pending.Length), _length);
        _length += _pending.Length;
        _pending.SetLength(0);
        if (!toDisk) return;
        if (!File.Exists(Path)) throw new FileNotFoundException("Somebody took it away.", Path);
        DiskFlush.File(_handle, Path);
        if (!_isNamedOnDisk && System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path)) is { } folder) DiskFlush.Folder(folder);
        _isNamedOnDisk = true;
    }

    public void Dispose()
    {
        if (_handle.IsClosed) return;
        try
        {
            if (HasUnwritten) Flush();
        }
        catch (IOException)
        {
            // The failure was reported when it first came; there is nobody left to retry.
        }

        _handle.Dispose();
    }
}
