using System.Buffers;
using System.Runtime.InteropServices;
using JepaSharp.Data.Sources;

namespace JepaSharp.Data.Decoding;

/// <summary>The bytes of one encoded image, pinned so that native decoders can read them in place.</summary>
internal sealed class FileBytes : IDisposable
{
    private readonly bool _isRented;
    private byte[]? _bytes;
    private GCHandle _pin;

    private FileBytes(byte[] bytes, int length, bool isRented)
    {
        (_bytes, Length, _isRented) = (bytes, length, isRented);
        _pin = GCHandle.Alloc(bytes, GCHandleType.Pinned);
    }

    public int Length { get; }

    public IntPtr Address => _pin.AddrOfPinnedObject();

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    /// <summary>Existing bytes, not copied.</summary>
    public static FileBytes Of(byte[] bytes) => new(bytes, bytes.Length, isRented: false);

    /// <summary>Reads a whole file.</summary>
    /// <exception cref="ImageUnreadableException">The file is missing, not readable or too long.</exception>
    public static FileBytes Read(string name, string path, DecodingLimits limits)
    {
        byte[]? rented = null;
        try
        {
            using var handle = File.OpenHandle(path, options: FileOptions.SequentialScan);
            var length = RandomAccess.GetLength(handle);
            if (length > limits.MaxFileBytes)
                throw new ImageUnreadableException(name, $"the file has {length:N0} bytes; at most {limits.MaxFileBytes:N0} are read.");
            rented = ArrayPool<byte>.Shared.Rent((int)Math.Max(length, 1));
            var filled = 0;
            while (filled < length)
            {
                var read = RandomAccess.Read(handle, rented.AsSpan(filled, (int)length - filled), filled);
                if (read == 0) break;
                filled += read;
            }

            return new FileBytes(rented, filled, isRented: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
            var reason = e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "the file is no longer there.",
                UnauthorizedAccessException => "no permission to read the file.",
                _ => $"the file cannot be read ({e.Message})",
            };
            throw new ImageUnreadableException(name, reason, e);
        }
    }

    public void Dispose()
    {
        if (_bytes is null) return;
        _pin.Free();
        if (_isRented) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = null;
    }
}
