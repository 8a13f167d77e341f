using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using JepaSharp.Runtime;

namespace JepaSharp.Weights;

/// <summary>One uncompressed file inside a zip: where its bytes lie in the archive.</summary>
internal sealed record StoredZipEntry(string Name, long Offset, long Length, uint Crc)
{
    /// <summary>Whether the checksum has been compared with the bytes already.</summary>
    public bool Verified { get; set; }
}

/// <summary>A zip archive of uncompressed files, such as PyTorch writes, read in place from a mapped file.</summary>
/// <remarks>
/// The central directory is the authority (PKWARE APPNOTE, sections 4.3 and 4.4, zip64 included). Compressed or encrypted entries, entries
/// that overlap, and names that occur twice are refused.
/// </remarks>
internal sealed class StoredZip
{
    private const uint EndSignature = 0x06054b50, End64Signature = 0x06064b50, Locator64Signature = 0x07064b50;
    private const uint CentralSignature = 0x02014b50, LocalSignature = 0x04034b50;
    private const int EndLength = 22, Locator64Length = 20, End64Length = 56, CentralLength = 46, LocalLength = 30;
    private const int LongestDirectory = 32 << 20, MostEntries = 200_000, CrcChunk = 16 << 20;
    private readonly MappedFile _file;
    private readonly Dictionary<string, StoredZipEntry> _entries = [];

    /// <exception cref="WeightsFileException">It is not a sound archive of uncompressed files.</exception>
    public StoredZip(MappedFile file)
    {
        _file = file;
        var (count, start, length) = FindDirectory();
        ReadDirectory(count, start, length);
    }

    public IReadOnlyDictionary<string, StoredZipEntry> Entries => _entries;

    /// <summary>Compares an entry's bytes with its checksum, once.</summary>
    /// <exception cref="WeightsFileException">They differ.</exception>
    public void Verify(StoredZipEntry entry)
    {
        if (entry.Verified) return;
        var checksum = new Crc32();
        for (var done = 0L; done < entry.Length; done += CrcChunk)
        {
            var part = (int)Math.Min(CrcChunk, entry.Length - done);
            checksum.Append(_file.View(entry.Offset + done, part));
            if (entry.Length > CrcChunk) _file.Release(entry.Offset + done, part);
        }

        var crc = checksum.GetCurrentHashAsUInt32();
        if (crc != entry.Crc)
            throw Refuse($"checksum {crc:x8} of '{Shown(entry.Name)}'",
                $"{entry.Crc:x8}, as the archive says: the file is damaged (or was saved with checksums off)");
        entry.Verified = true;
    }

    private (long Count, long Start, long Length) FindDirectory()
    {
        var tailLength = (int)Math.Min(_file.Length, EndLength + ushort.MaxValue);
        var tailStart = _file.Length - tailLength;
        var tail = _file.View(tailStart, tailLength);
        for (var at = tailLength - EndLength; at >= 0; at--)
        {
            if (U32(tail, at) != EndSignature || at + EndLength + U16(tail, at + 20) != tailLength) continue;
            var end = tailStart + at;
            if (end >= Locator64Length && U32(_file.View(end - Locator64Length, Locator64Length), 0) == Locator64Signature)
                return FindDirectory64(end);
            if (U16(tail, at + 4) != 0 || U16(tail, at + 6) != 0) throw Refuse("a zip archive in several volumes", "one file");
            return Checked(U16(tail, at + 10), U32(tail, at + 16), U32(tail, at + 12), end);
        }

        throw Refuse("a zip archive without its directory, which is at the end", "a whole file: it is cut short");
    }

    private (long Count, long Start, long Length) FindDirectory64(long end)
    {
        var at = U64(_file.View(end - Locator64Length, Locator64Length), 8);
        if (at < 0 || at > end - Locator64Length - End64Length) throw Refuse($"a zip64 record at {at}", "it inside the file");
        var record = _file.View(at, End64Length);
        if (U32(record, 0) != End64Signature || U32(record, 16) != 0 || U32(record, 20) != 0)
            throw Refuse("a broken zip64 record", "a sound archive");
        return Checked(U64(record, 32), U64(record, 48), U64(record, 40), at);
    }

    private (long Count, long Start, long Length) Checked(long count, long start, long length, long end)
    {
        if (start < 0 || length < 0 || start > end - length) throw Refuse($"a zip directory at {start} of {length} bytes", "it inside the file");
        if (length > LongestDirectory || count is < 0 or > MostEntries || count * CentralLength > length)
            throw Refuse($"a zip directory of {length} bytes for {count} files", $"at most {MostEntries} files, each with its entry");
        return (count, start, length);
    }

    private void ReadDirectory(long count, long start, long length)
    {
        var directory = _file.View(start, (int)length);
        var ranges = new List<(long From, long To, string Name)>();
        for (long i = 0, at = 0; i < count; i++)
        {
            if (at > length - CentralLength || U32(directory, (int)at) != CentralSignature)
                throw Refuse($"a broken zip directory at file {i + 1}", $"{count} sound entries");
            var header = directory[(int)at..];
            int nameLength = U16(header, 28), extraLength = U16(header, 30), commentLength = U16(header, 32);
            var next = at + CentralLength + nameLength + extraLength + commentLength;
            if (next > length) throw Refuse($"a broken zip directory at file {i + 1}", $"{count} sound entries");
            var name = Encoding.UTF8.GetString(header.Slice(CentralLength, nameLength));
            var (size, packed, local) = Sizes(name, header, header.Slice(CentralLength + nameLength, extraLength));
            if ((U16(header, 8) & 1) != 0) throw Refuse($"'{Shown(name)}' encrypted", "plain files");
            if (U16(header, 10) != 0 || size != packed)
                throw Refuse($"'{Shown(name)}' compressed", "the uncompressed files that torch.save writes: if weights are packed in the "
                    + "archive, unpack it (unzip) and give what is in it");
            var offset = DataOffset(name, header.Slice(CentralLength, nameLength), local, size, start);
            ranges.Add((local, offset + size, name));
            if (!_entries.TryAdd(name, new StoredZipEntry(name, offset, size, U32(header, 16))))
                throw Refuse($"'{Shown(name)}' twice", "each name once");
            at = next;
        }

        ranges.Sort();
        for (var i = 1; i < ranges.Count; i++)
        {
            if (ranges[i].From < ranges[i - 1].To)
                throw Refuse($"'{Shown(ranges[i].Name)}' over '{Shown(ranges[i - 1].Name)}'", "files that do not overlap");
        }
    }

    /// <summary>Sizes and position; where they do not fit 32 bits, from the zip64 field, in this order (APPNOTE 4.5.3).</summary>
    private (long Size, long Packed, long Local) Sizes(string name, ReadOnlySpan<byte> header, ReadOnlySpan<byte> extra)
    {
        long packed = U32(header, 20), size = U32(header, 24), local = U32(header, 42);
        if (packed != uint.MaxValue && size != uint.MaxValue && local != uint.MaxValue) return (size, packed, local);
        while (extra.Length >= 4)
        {
            var length = U16(extra, 2);
            if (length > extra.Length - 4) break;
            if (U16(extra, 0) == 1)
            {
                var field = extra.Slice(4, length);
                if (Take(ref size, ref field) && Take(ref packed, ref field) && Take(ref local, ref field)) return (size, packed, local);
                break;
            }

            extra = extra[(4 + length)..];
        }

        throw Refuse($"'{Shown(name)}' without its zip64 sizes", "a sound archive");

        static bool Take(ref long value, ref ReadOnlySpan<byte> field)
        {
            if (value != uint.MaxValue) return true;
            if (field.Length < 8) return false;
            value = U64(field, 0);
            field = field[8..];
            return value >= 0;
        }
    }

    private long DataOffset(string name, ReadOnlySpan<byte> nameBytes, long local, long size, long limit)
    {
        if (local <= limit - LocalLength)
        {
            var header = _file.View(local, LocalLength);
            var offset = local + LocalLength + U16(header, 26) + U16(header, 28);
            if (U32(header, 0) == LocalSignature && U16(header, 26) == nameBytes.Length && offset <= limit && size <= limit - offset
                && _file.View(local + LocalLength, nameBytes.Length).SequenceEqual(nameBytes))
                return offset;
        }

        throw Refuse($"'{Shown(name)}' at {local} with {size} bytes", "a file that lies there: the archive is damaged");
    }

    private WeightsFileException Refuse(string found, string expected) => new(_file.Path, found, expected);

    private static string Shown(string name) => SafetensorsHeader.Shown(name);

    private static int U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    /// <summary>Negative if it does not fit: refused by every check that follows.</summary>
    private static long U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);
}
