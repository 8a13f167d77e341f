using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace JepaSharp.Evaluation.Embeddings.Writers;

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
