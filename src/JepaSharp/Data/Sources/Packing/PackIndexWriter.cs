using System.Buffers.Binary;
using System.Text;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Packing;

/// <summary>Collects what stands behind the images of a pack, see <see cref="PackLayout"/>.</summary>
#pragma warning disable CA1001 // memory alone: nothing to dispose of
internal sealed class PackIndexWriter(ImageSource source)
#pragma warning restore CA1001
{
    private readonly MemoryStream _entries = new(), _nameEnds = new(), _values = new(), _names = new();
    private readonly IReadOnlyList<string> _columns = source.Columns;

    public long Count { get; private set; }

    /// <summary>Notes an image that was written.</summary>
    public void Add(int index, PreparedImage image, long offset, bool isEncoded)
    {
        Span<byte> entry = stackalloc byte[PackLayout.EntryBytes];
        BinaryPrimitives.WriteInt64LittleEndian(entry, offset);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], (uint)image.Bytes.Length);
        BinaryPrimitives.WriteInt32LittleEndian(entry[12..], image.Width);
        BinaryPrimitives.WriteInt32LittleEndian(entry[16..], image.Height);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[20..], Crc32C.Of(image.Bytes));
        BinaryPrimitives.WriteInt32LittleEndian(entry[24..], source.LabelOf(index) ?? -1);
        BinaryPrimitives.WriteInt32LittleEndian(entry[28..], isEncoded ? PackLayout.Encoded : PackLayout.Raw);
        _entries.Write(entry);
        _names.Write(Encoding.UTF8.GetBytes(source.NameOf(index)));
        Write(_nameEnds, _names.Length);
        foreach (var column in _columns) Write(_values, BitConverter.DoubleToInt64Bits(source.ValueOf(index, column) ?? double.NaN));
        Count++;
    }

    /// <summary>The index as it stands in the file.</summary>
    public byte[] ToArray()
    {
        using var index = new MemoryStream();
        _entries.WriteTo(index);
        _nameEnds.WriteTo(index);
        WriteInt(index, source.Classes.Count);
        WriteInt(index, _columns.Count);
        _values.WriteTo(index);
        foreach (var text in source.Classes.Concat(_columns))
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            WriteInt(index, bytes.Length);
            index.Write(bytes);
        }

        _names.WriteTo(index);
        return index.ToArray();
    }

    private static void Write(MemoryStream stream, long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    private static void WriteInt(MemoryStream stream, int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        stream.Write(bytes);
    }
}
