using System.IO.MemoryMappedFiles;

namespace JepaSharp.Data.Sources.Packing;

/// <summary>A file in memory, read only, paged in by the system as it is read.</summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private byte* _first;

    /// <summary>Maps a whole file.</summary>
    /// <exception cref="IOException">The file is missing or empty.</exception>
    public MappedFile(string path)
    {
        using var handle = RegularFile.OpenHandle(path, FileOptions.RandomAccess);
        Length = RandomAccess.GetLength(handle);
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _first);
        _first += _view.PointerOffset;
    }

    /// <summary>Bytes of the file.</summary>
    public long Length { get; }

    /// <summary>A part of the file.</summary>
    /// <exception cref="InvalidDataException">It does not lie inside the file.</exception>
    public ReadOnlySpan<byte> Slice(long offset, long length)
    {
        ObjectDisposedException.ThrowIf(_first is null, this);
        if (offset < 0 || length < 0 || length > int.MaxValue || offset > Length - length) throw new InvalidDataException($"{length:N0} bytes at {offset:N0} lie outside the file of {Length:N0}.");
        return new ReadOnlySpan<byte>(_first + offset, (int)length);
    }

    public void Dispose()
    {
        if (_first is null) return;
        _first = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
