using System.Runtime.InteropServices;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Embeddings.Writers;

/// <summary>A header of fixed length, then float32 after float32, little-endian. How many there are is written into the header at the end.</summary>
internal sealed class BinaryEmbeddings : EmbeddingWriter
{
    private readonly FileStream _stream;
    private readonly Func<long, uint, byte[]> _header;
    private readonly int _headerLength;
    private uint _checksum;

    /// <param name="path">The unfinished file.</param>
    /// <param name="header">The header for so many images and the CRC-32C of all numbers; padded here, which both formats allow.</param>
    /// <param name="mostImages">The number whose header is longest.</param>
    /// <param name="from">Length to go on at; 0 for a new file.</param>
    public BinaryEmbeddings(string path, Func<long, uint, byte[]> header, long mostImages, long from)
    {
        _header = header;
        _headerLength = header(mostImages, 0).Length;
        _stream = OpenAt(path, from);
        if (from == 0) _stream.Write(header(mostImages, 0));
        else ReadBack(from);
    }

    public override void Write(ReadOnlyMemory<float> values, IReadOnlyList<EmbeddedImage> images)
    {
        var bytes = MemoryMarshal.AsBytes(values.Span);
        _stream.Write(bytes);
        _checksum = Crc32C.Append(_checksum, bytes);
    }

    public override long Flush()
    {
        _stream.Flush(flushToDisk: true);
        return _stream.Position;
    }

    public override void Finish(long images)
    {
        var header = _header(images, _checksum);
        if (header.Length != _headerLength)
            throw new InvalidOperationException($"The header takes {header.Length} bytes; {_headerLength} were kept for it.");
        var end = _stream.Position;
        _stream.Position = 0;
        _stream.Write(header);
        _stream.Position = end;
        Flush();
    }

    /// <summary>The checksum of what an earlier writer wrote.</summary>
    private void ReadBack(long length)
    {
        var buffer = new byte[1 << 20];
        _stream.Position = _headerLength;
        while (_stream.Position < length)
        {
            var read = _stream.Read(buffer, 0, (int)Math.Min(buffer.Length, length - _stream.Position));
            if (read == 0) break;
            _checksum = Crc32C.Append(_checksum, buffer.AsSpan(0, read));
        }

        _stream.Position = length;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _stream.Dispose();
        base.Dispose(disposing);
    }
}
