using System.Buffers.Binary;
using System.Text;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Packing;

/// <summary>Where an image lies in a pack, and what it is.</summary>
internal readonly record struct PackEntry(long Offset, uint Length, int Width, int Height, uint Crc, int Label, int Encoding);

/// <summary>Reads what stands behind the images of a pack, see <see cref="PackLayout"/>. Nothing in the file is trusted.</summary>
internal sealed class PackIndex
{
    private readonly MappedFile _file;
    private readonly long _entries, _nameEnds, _values, _names, _namesLength;

    /// <summary>Reads the head and the index.</summary>
    /// <exception cref="InvalidDataException">It is no pack, of another version, cut short or damaged: says which.</exception>
    public PackIndex(MappedFile file)
    {
        _file = file;
        if (file.Length < PackLayout.HeadBytes || !file.View(0, 8).SequenceEqual(PackLayout.Magic))
            throw new InvalidDataException("it does not begin as a pack does.");
        var head = file.View(0, PackLayout.HeadBytes);
        var version = BinaryPrimitives.ReadUInt32LittleEndian(head[8..]);
        if (version != PackLayout.Version)
            throw new InvalidDataException($"it is of version {version}; this program reads version {PackLayout.Version}.");
        if (BinaryPrimitives.ReadUInt32LittleEndian(head[44..]) != Crc32C.Of(head[..44])) throw new InvalidDataException("its head is damaged.");
        var (count, offset, length) = (Int64(16), Int64(24), Int64(32));
        if (offset < PackLayout.HeadBytes || length < 0 || offset > file.Length - length)
            throw new InvalidDataException("it is cut short before its index.");
        if (count is < 1 or > int.MaxValue || count > length / (PackLayout.EntryBytes + 8))
            throw new InvalidDataException($"its index cannot hold {count:N0} images.");
        if (CrcOf(offset, length) != BinaryPrimitives.ReadUInt32LittleEndian(head[40..]))
            throw new InvalidDataException("its index is damaged: the checksum differs.");
        Count = (int)count;
        ImagesEnd = offset;
        _entries = offset;
        _nameEnds = _entries + (count * PackLayout.EntryBytes);
        var at = _nameEnds + (count * 8);
        var end = offset + length;
        var (classes, columns) = (Int32(at, end), Int32(at + 4, end));
        if (classes < 0 || columns < 0 || columns > (end - at) / 8 / count || classes > (end - at) / 4)
            throw new InvalidDataException("its index claims more classes or columns than it holds.");
        _values = at + 8;
        at = _values + (count * columns * 8);
        Classes = ReadTexts(classes, ref at, end);
        Columns = ReadTexts(columns, ref at, end);
        (_names, _namesLength) = (at, end - at);
    }

    public int Count { get; }

    public IReadOnlyList<string> Classes { get; }

    public IReadOnlyList<string> Columns { get; }

    /// <summary>Offset at which the images end.</summary>
    public long ImagesEnd { get; }

    public PackEntry EntryOf(int index)
    {
        var entry = _file.View(_entries + ((long)index * PackLayout.EntryBytes), PackLayout.EntryBytes);
        return new PackEntry(
            BinaryPrimitives.ReadInt64LittleEndian(entry),
            BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(entry[12..]),
            BinaryPrimitives.ReadInt32LittleEndian(entry[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(entry[20..]),
            BinaryPrimitives.ReadInt32LittleEndian(entry[24..]),
            BinaryPrimitives.ReadInt32LittleEndian(entry[28..]));
    }

    public string NameOf(int index)
    {
        var start = index == 0 ? 0 : Int64(_nameEnds + (8L * (index - 1)));
        var end = Int64(_nameEnds + (8L * index));
        return start >= 0 && end >= start
            && end <= _namesLength ? Encoding.UTF8.GetString(_file.View(_names + start, end - start)) : $"image {index}";
    }

    public double ValueOf(int index, int column) => BitConverter.Int64BitsToDouble(Int64(_values + (8L * (((long)index * Columns.Count) + column))));

    private long Int64(long at) => BinaryPrimitives.ReadInt64LittleEndian(_file.View(at, 8));

    private int Int32(long at, long end) =>
        at + 4 <= end ? BinaryPrimitives.ReadInt32LittleEndian(_file.View(at, 4)) : throw new InvalidDataException("its index breaks off.");

    private string[] ReadTexts(int count, ref long at, long end)
    {
        var texts = new string[count];
        for (var i = 0; i < count; i++)
        {
            var length = Int32(at, end);
            if (length < 0 || at + 4 + length > end) throw new InvalidDataException("its index breaks off.");
            texts[i] = Encoding.UTF8.GetString(_file.View(at + 4, length));
            at += 4 + length;
        }

        return texts;
    }

    private uint CrcOf(long offset, long length) =>
        length <= int.MaxValue ? Crc32C.Of(_file.View(offset, length)) : throw new InvalidDataException(
            $"its index has {length:N0} bytes; at most {int.MaxValue:N0} are read.");
}

/// <summary>The bytes of a <c>.jepapack</c> file, little-endian.</summary>
/// <remarks>
/// Head (64 bytes): magic "JEPAPACK", version u32, 0 u32, images i64, index offset i64, index bytes i64, CRC-32C of the index u32, CRC-32C of the
/// 44 bytes before u32, zeros. Then the images one after the other, as raw [H, W, 3] or as encoded files. Then the index: an entry of 32 bytes an
/// image (offset i64, bytes u32, width i32, height i32, CRC-32C u32, label i32 with -1 for none, encoding i32), then for each name an i64 end in the
/// name text, then the counts of classes and columns (i32 each), the columns' values (f64, NaN for none, image by image), and texts: class names and
/// column names, each an i32 length and UTF-8, and last the name text.
/// </remarks>
internal static class PackLayout
{
    public const int HeadBytes = 64, EntryBytes = 32;

    public const uint Version = 1;

    /// <summary>Encodings of an image.</summary>
    public const int Raw = 0, Encoded = 1;

    public static ReadOnlySpan<byte> Magic => "JEPAPACK"u8;
}
