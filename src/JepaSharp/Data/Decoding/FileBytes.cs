using System.Buffers;
using System.Runtime.InteropServices;
using JepaSharp.Data.Sources;
using Microsoft.Win32.SafeHandles;

namespace JepaSharp.Data.Decoding;

/// <summary>The bytes of one encoded image, pinned so that native decoders can read them in place.</summary>
internal sealed class FileBytes : IDisposable
{
    // The pool keeps what it gets back for ever; a few images of hundreds of megabytes would stay in memory.
    private const int LongestRented = 2 << 20;

    private readonly bool _isRented, _isOwn;
    private byte[]? _bytes;
    private GCHandle _pin;

    private FileBytes(byte[] bytes, int length, bool isRented, bool isOwn)
    {
        (_bytes, Length, _isRented, _isOwn) = (bytes, length, isRented, isOwn);
        _pin = GCHandle.Alloc(bytes, GCHandleType.Pinned);
    }

    public int Length { get; private set; }

    public IntPtr Address => _pin.AddrOfPinnedObject();

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    /// <summary>Existing bytes, not copied.</summary>
    public static FileBytes Of(byte[] bytes) => new(bytes, bytes.Length, isRented: false, isOwn: false);

    /// <summary>Reads a whole file.</summary>
    /// <exception cref="ImageUnreadableException">The file is missing, empty, not readable or too long.</exception>
    public static FileBytes Read(string name, string path, DecodingLimits limits)
    {
        try
        {
            using var handle = RegularFile.OpenHandle(path, FileOptions.SequentialScan);
            return Read(name, handle, 0, RandomAccess.GetLength(handle), limits);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            var reason = e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "the file is not there, or no longer there.",
                UnauthorizedAccessException => "no permission to read the file.",
                UnusableFileException => e.Message,
                _ => $"the file cannot be read ({e.Message})",
            };
            throw new ImageUnreadableException(name, reason, e);
        }
    }

    /// <summary>Reads a part of a file; fewer bytes where it ends before.</summary>
    /// <exception cref="ImageUnreadableException">The part is too long.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static FileBytes Read(string name, SafeFileHandle file, long offset, long length, DecodingLimits limits)
    {
        if (length > Math.Min(limits.MaxFileBytes, Array.MaxLength))
            throw new ImageUnreadableException(name, $"the file has {length:N0} bytes; at most {limits.MaxFileBytes:N0} are read.");
        // A damaged archive may claim far more than there is.
        length = Math.Min(length, Math.Max(RandomAccess.GetLength(file) - offset, 0));
        var isRented = length <= LongestRented;
        var bytes = isRented ? ArrayPool<byte>.Shared.Rent((int)Math.Max(length, 1)) : GC.AllocateUninitializedArray<byte>((int)length);
        try
        {
            var filled = 0;
            while (filled < length)
            {
                var read = RandomAccess.Read(file, bytes.AsSpan(filled, (int)length - filled), offset + filled);
                if (read == 0) break;
                filled += read;
            }

            return new FileBytes(bytes, filled, isRented, isOwn: true);
        }
        catch
        {
            if (isRented) ArrayPool<byte>.Shared.Return(bytes);
            throw;
        }
    }

    /// <summary>Some parts alone, in their order: in place, or as a copy where the bytes are someone else's, which frees these.</summary>
    public FileBytes Keep(IReadOnlyList<(int Start, int Length)> parts)
    {
        var length = parts.Sum(p => p.Length);
        var target = _isOwn ? _bytes! : GC.AllocateUninitializedArray<byte>(length);
        var filled = 0;
        foreach (var (start, count) in parts)
        {
            Span.Slice(start, count).CopyTo(target.AsSpan(filled));
            filled += count;
        }

        if (_isOwn)
        {
            Length = length;
            return this;
        }

        Dispose();
        return new FileBytes(target, length, isRented: false, isOwn: true);
    }

    public void Dispose()
    {
        if (_bytes is null) return;
        _pin.Free();
        if (_isRented) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = null;
    }
}
