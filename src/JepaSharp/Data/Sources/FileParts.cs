using JepaSharp.Data.Decoding;
using Microsoft.Win32.SafeHandles;

namespace JepaSharp.Data.Sources;

/// <summary>Reads parts of many large files. Keeps a bounded number of them open. Safe to use from several threads.</summary>
internal sealed class FileParts(IReadOnlyList<string> paths) : IDisposable
{
    // Well below what any system lets a process have open.
    private const int KeptOpen = 128;

    private readonly SafeFileHandle?[] _open = new SafeFileHandle?[paths.Count];
    private readonly Lock _gate = new();
    private int _count;

    /// <summary>Opens the image that lies in a part of a file.</summary>
    /// <exception cref="ImageUnreadableException">The file is gone, too short, or the part is no image.</exception>
    public OpenedImage OpenImage(int file, long offset, long length, string name, DecodingLimits limits)
    {
        SafeFileHandle? handle = null;
        try
        {
            handle = HandleOf(file);
            return ImageDecoder.Open(handle, offset, length, name, limits);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageUnreadableException(name, $"{paths[file]} cannot be read: {e.Message}", e);
        }
        finally
        {
            if (handle is not null && !ReferenceEquals(handle, Volatile.Read(ref _open[file]))) handle.Dispose();
        }
    }

    /// <summary>Reads bytes; fewer where the file ends.</summary>
    public byte[] Read(int file, long offset, int length)
    {
        var handle = HandleOf(file);
        try
        {
            var bytes = new byte[length];
            var filled = 0;
            while (filled < length && RandomAccess.Read(handle, bytes.AsSpan(filled), offset + filled) is > 0 and var read) filled += read;
            return filled == length ? bytes : bytes[..filled];
        }
        finally
        {
            if (!ReferenceEquals(handle, Volatile.Read(ref _open[file]))) handle.Dispose();
        }
    }

    public void Dispose()
    {
        foreach (var handle in _open) handle?.Dispose();
    }

    private SafeFileHandle HandleOf(int file)
    {
        if (Volatile.Read(ref _open[file]) is { } kept) return kept;
        var handle = RegularFile.OpenHandle(paths[file], FileOptions.RandomAccess);
        lock (_gate)
        {
            if (_open[file] is { } other)
            {
                handle.Dispose();
                return other;
            }

            if (_count < KeptOpen)
            {
                _open[file] = handle;
                _count++;
            }

            return handle;
        }
    }
}
