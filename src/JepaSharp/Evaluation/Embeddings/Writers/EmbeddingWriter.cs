using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace JepaSharp.Evaluation.Embeddings.Writers;

/// <summary>Writes embeddings as they come, into a file that is not finished until <see cref="Finish"/>.</summary>
/// <remarks>What is held in memory does not grow with the number of images.</remarks>
internal abstract class EmbeddingWriter : IDisposable
{
    /// <summary>Appends images.</summary>
    /// <param name="values">One <see cref="EmbeddingLayout.Numbers"/> after the other for each image.</param>
    /// <param name="images">Whose they are.</param>
    public abstract void Write(ReadOnlyMemory<float> values, IReadOnlyList<EmbeddedImage> images);

    /// <summary>Brings everything written so far to disk.</summary>
    /// <returns>The file's length at which another writer can go on.</returns>
    public abstract long Flush();

    /// <summary>Makes the file whole, on disk.</summary>
    /// <param name="images">How many were written, those of earlier writers included.</param>
    public virtual void Finish(long images) => Flush();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the file.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>Opens a writer.</summary>
    /// <param name="path">The unfinished file.</param>
    /// <param name="format">What it is.</param>
    /// <param name="layout">Shape of one image's embedding.</param>
    /// <param name="mostImages">At most so many will be written.</param>
    /// <param name="facts">What the file shall say about itself, where its format can.</param>
    /// <param name="from">Length to go on at; 0 for a new file.</param>
    public static EmbeddingWriter Open(
        string path, EmbeddingFormat format, EmbeddingLayout layout, long mostImages, IReadOnlyDictionary<string, string> facts,
        long from) => format switch
        {
            EmbeddingFormat.Safetensors =>
                new BinaryEmbeddings(path, (images, checksum) => SafetensorsEmbeddings.Header(layout, images, facts, checksum), mostImages, from),
            EmbeddingFormat.Npy => new BinaryEmbeddings(path, (images, _) => NpyEmbeddings.Header(layout, images), mostImages, from),
            EmbeddingFormat.Csv => new CsvEmbeddings(path, layout, from),
            _ => new ParquetEmbeddings(path, layout, facts, from),
        };

    /// <summary>The file, cut to a length and ready to go on at its end.</summary>
    internal static FileStream OpenAt(string path, long length)
    {
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, 1 << 16);
        stream.SetLength(length);
        stream.Position = length;
        return stream;
    }
}

/// <summary>The header of NumPy's array file, version 1.0 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).</summary>
internal static class NpyEmbeddings
{
    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0];

    private const int Alignment = 64;
    private const int PrefixBytes = 10;
    private const int WidestCount = 19;

    /// <summary>Always of the same length for one layout.</summary>
    public static byte[] Header(EmbeddingLayout layout, long images)
    {
        var shape = string.Join(", ", layout.ShapeOf(images).Select(n => n.ToString(CultureInfo.InvariantCulture)));
        var text = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}";
        var room = text.Length + WidestCount - images.ToString(CultureInfo.InvariantCulture).Length;
        var total = (PrefixBytes + room + 1 + Alignment - 1) / Alignment * Alignment;
        var header = new byte[total];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), (ushort)(total - PrefixBytes));
        header.AsSpan(PrefixBytes).Fill((byte)' ');
        Encoding.ASCII.GetBytes(text, header.AsSpan(PrefixBytes));
        header[^1] = (byte)'\n';
        return header;
    }
}
