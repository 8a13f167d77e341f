using System.Runtime.InteropServices;

namespace JepaSharp.Evaluation.Embeddings.Writers;

/// <summary>A header of fixed length, then float32 after float32, little-endian. How many there are is written into the header at the end.</summary>
internal sealed class BinaryEmbeddings : EmbeddingWriter
{
    private readonly FileStream _stream;
    private readonly Func<long, byte[]> _header;
    private readonly int _headerLength;

    /// <param name="path">The unfinished file.</param>
    /// <param name="header">The header for so many images; padded here, which both formats allow.</param>
    /// <param name="mostImages">The number whose header is longest.</param>
    /// <param name="from">Length to go on at; 0 for a new file.</param>
    public BinaryEmbeddings(string path, Func<long, byte[]> header, long mostImages, long from)
    {
        _header = header;
        _headerLength = header(mostImages).Length;
        _stream = OpenAt(path, from);
        if (from == 0) _stream.Write(header(mostImages));
    }

    public override void Write(ReadOnlyMemory<float> values, IReadOnlyList<EmbeddedImage> images) => _stream.Write(MemoryMarshal.AsBytes(values.Span));

    public override long Flush()
    {
        _stream.Flush(flushToDisk: true);
        return _stream.Position;
    }

    public override void Finish(long images)
    {
        var header = _header(images);
        if (header.Length != _headerLength) throw new InvalidOperationException($"The header takes {header.Length} bytes; {_headerLength} were kept for it.");
        var end = _stream.Position;
        _stream.Position = 0;
        _stream.Write(header);
        _stream.Position = end;
        Flush();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _stream.Dispose();
        base.Dispose(disposing);
    }
}
