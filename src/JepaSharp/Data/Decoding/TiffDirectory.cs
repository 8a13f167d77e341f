using System.Buffers.Binary;

namespace JepaSharp.Data.Decoding;

/// <summary>The whole numbers in the first directory of a TIFF (TIFF 6.0, section 2) or BigTIFF, by tag.</summary>
internal sealed class TiffDirectory
{
    // More values than a tag of ours has: lists of strips are not read.
    private const int MostValues = 16;

    private readonly Dictionary<int, long[]> _values = [];

    private TiffDirectory()
    {
    }

    /// <summary>Whether another directory follows: a further page.</summary>
    public bool HasNext { get; private set; }

    /// <summary>Whether a tag is there with whole numbers.</summary>
    public bool Has(int tag) => _values.ContainsKey(tag);

    /// <summary>The first value of a tag, or what it is without one.</summary>
    public long Value(int tag, long otherwise) => _values.TryGetValue(tag, out var values) && values.Length > 0 ? values[0] : otherwise;

    /// <summary>All values of a tag, 16 at most; empty without it.</summary>
    public IReadOnlyList<long> Values(int tag) => _values.GetValueOrDefault(tag, []);

    /// <summary>Reads the first directory; null where there is none.</summary>
    public static TiffDirectory? First(ReadOnlySpan<byte> file)
    {
        if (file.Length < 8 || !(file[..2].SequenceEqual("II"u8) || file[..2].SequenceEqual("MM"u8))) return null;
        var isLittle = file[0] == 'I';
        var isBig = Read(file, 2, 2, isLittle) == 43;
        var (countBytes, entryBytes, offsetBytes) = isBig ? (8, 20, 8) : (2, 12, 4);
        var at = isBig ? Read(file, 8, 8, isLittle) : Read(file, 4, 4, isLittle);
        if (at < 8 || at > file.Length - countBytes) return null;
        var count = Read(file, at, countBytes, isLittle);
        at += countBytes;
        if (count < 0 || count > (file.Length - at) / entryBytes) return null;
        var directory = new TiffDirectory();
        for (var i = 0; i < count; i++, at += entryBytes) directory.ReadEntry(file, at, isBig, isLittle);
        directory.HasNext = at <= file.Length - offsetBytes && Read(file, at, offsetBytes, isLittle) != 0;
        return directory;
    }

    /// <summary>An entry: tag (2 bytes), type (2), how many values (4, or 8 in BigTIFF), the values or where they are (4 or 8).</summary>
    private void ReadEntry(ReadOnlySpan<byte> file, long at, bool isBig, bool isLittle)
    {
        var size = Read(file, at + 2, 2, isLittle) switch
        {
            1 => 1, // bytes
            3 => 2, // shorts
            4 => 4, // longs
            16 => 8,
            _ => 0,
        };
        var count = Read(file, at + 4, isBig ? 8 : 4, isLittle);
        if (size == 0 || count <= 0) return;
        var (place, inPlace) = isBig ? (at + 12, 8) : (at + 8, 4);
        if (count > inPlace / size) place = Read(file, place, inPlace, isLittle);
        var values = new long[(int)Math.Min(count, MostValues)];
        for (var i = 0; i < values.Length; i++)
        {
            var from = place + ((long)i * size);
            if (from < 0 || from > file.Length - size) return;
            values[i] = Read(file, from, size, isLittle);
        }

        _values[(int)Read(file, at, 2, isLittle)] = values;
    }

    private static long Read(ReadOnlySpan<byte> file, long at, int size, bool isLittle)
    {
        if (at < 0 || at > file.Length - size) return -1;
        var bytes = file.Slice((int)at, size);
        return size switch
        {
            1 => bytes[0],
            2 => isLittle ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes),
            4 => isLittle ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes),
            _ => isLittle ? BinaryPrimitives.ReadInt64LittleEndian(bytes) : BinaryPrimitives.ReadInt64BigEndian(bytes),
        };
    }
}
