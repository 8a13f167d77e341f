using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace JepaSharp.Runtime;

/// <summary>A file mapped into memory for reading: only what is copied out is ever read from disk.</summary>
/// <remarks>
/// Pages that were copied are handed back to the system at once, so that reading a file of gigabytes does not keep it in memory beside
/// the tensors made from it. The file's length is checked before each copy, since touching mapped pages beyond the end of a file that was
/// cut short meanwhile would end the process.
/// </remarks>
internal sealed unsafe partial class MappedFile : IDisposable
{
    private const long ReleaseFrom = 1 << 20;
    private readonly SafeFileHandle _handle;
    private readonly MemoryMappedFile? _map;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _start;
    private bool _disposed;

    /// <summary>Maps a whole file.</summary>
    /// <param name="handle">The file, open for reading; from now on this object's.</param>
    /// <param name="path">What to call it in messages.</param>
    /// <exception cref="IOException">It cannot be mapped.</exception>
    public MappedFile(SafeFileHandle handle, string path)
    {
        (_handle, Path) = (handle, path);
        try
        {
            Length = RandomAccess.GetLength(_handle);
            if (Length == 0) return;
            _map = MemoryMappedFile.CreateFromFile(_handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            _view = _map.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
            _start += _view.PointerOffset;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The file, as the user named it.</summary>
    public string Path { get; }

    /// <summary>Bytes, when it was opened.</summary>
    public long Length { get; }

    /// <summary>Copies the bytes from <paramref name="offset"/> on.</summary>
    /// <exception cref="FileCutShortException">The file has become shorter since it was opened.</exception>
    public void CopyTo(long offset, Span<byte> destination)
    {
        if (destination.IsEmpty) return;
        View(offset, destination.Length).CopyTo(destination);
        Release(offset, destination.Length);
    }

    /// <summary>The bytes in place; valid until the file is disposed of.</summary>
    /// <exception cref="InvalidDataException">They do not lie inside the file.</exception>
    /// <exception cref="FileCutShortException">The file has become shorter since it was opened.</exception>
    public ReadOnlySpan<byte> View(long offset, long length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (offset < 0 || length is < 0 or > int.MaxValue || offset > Length - length)
            throw new InvalidDataException($"{length:N0} bytes at {offset:N0} lie outside the file of {Length:N0}.");
        var now = RandomAccess.GetLength(_handle);
        if (now < Length) throw new FileCutShortException(Path, now, Length);
        return length == 0 ? [] : new ReadOnlySpan<byte>(_start + offset, (int)length);
    }

    /// <summary>Tells the system that these pages are not needed again soon. They are read anew from disk if they are.</summary>
    public void Release(long offset, long length)
    {
        if (length < ReleaseFrom || _start is null || !OperatingSystem.IsLinux()) return;
        var page = Environment.SystemPageSize;
        var from = (nint)(_start + offset) / page * page;
        const int dontNeed = 4;
        _ = Advise(from, (nuint)((nint)(_start + offset + length) - from), dontNeed);
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (_start is not null) _view!.SafeMemoryMappedViewHandle.ReleasePointer();
        _view?.Dispose();
        _map?.Dispose();
        _handle?.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}

/// <summary>A file that is being read has become shorter than it was when it was opened.</summary>
/// <param name="path">The file, as the user named it.</param>
/// <param name="now">Bytes that it has.</param>
/// <param name="before">Bytes that it had.</param>
public sealed class FileCutShortException(string path, long now, long before)
    : JepaException($"{path}: found {now} bytes; expected the {before} there were when it was opened: it was cut short meanwhile.");
