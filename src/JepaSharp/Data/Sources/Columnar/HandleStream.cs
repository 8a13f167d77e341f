using Microsoft.Win32.SafeHandles;

namespace JepaSharp.Data.Sources.Columnar;

/// <summary>A file to read from. Its asynchronous reads finish at once on the caller's thread, so that waiting for them costs nothing and cannot
/// deadlock.</summary>
internal sealed class HandleStream(string path) : Stream
{
    private readonly SafeFileHandle _handle = RegularFile.OpenHandle(path, FileOptions.RandomAccess);

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => RandomAccess.GetLength(_handle);

    public override long Position { get; set; }

    /// <summary>Where reading by position ends, at most: behind the column that is read, so that a damaged page cannot lead into the next.</summary>
    public long End { get; set; } = long.MaxValue;

    public override int Read(Span<byte> buffer)
    {
        if (Position >= End) return 0;
        if (buffer.Length > End - Position) buffer = buffer[..(int)(End - Position)];
        var read = RandomAccess.Read(_handle, buffer, Position);
        Position += read;
        return read;
    }

    /// <summary>Fills a buffer from an offset; the stream's position stays. Safe from several threads.</summary>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public void ReadExactlyAt(Span<byte> buffer, long offset)
    {
        while (buffer.Length > 0)
        {
            var read = RandomAccess.Read(_handle, buffer, offset);
            if (read == 0) throw new EndOfStreamException("The file ends here.");
            buffer = buffer[read..];
            offset += read;
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Task.FromResult(Read(buffer.AsSpan(offset, count)));

    public override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
    {
        SeekOrigin.Begin => 0,
        SeekOrigin.Current => Position,
        _ => Length,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) _handle.Dispose();
        base.Dispose(disposing);
    }
}
