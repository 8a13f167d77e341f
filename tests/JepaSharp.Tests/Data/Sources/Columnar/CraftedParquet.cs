using System.IO.Compression;
using System.Text;

namespace JepaSharp.Tests.Data.Sources.Columnar;

/// <summary>A column of a Parquet file that is made page by page.</summary>
/// <param name="Path">Names from the outermost structure to the column.</param>
/// <param name="IsOptional">Whether each of them may be null.</param>
/// <param name="Type">The format's number of the type: 2 INT64, 6 BYTE_ARRAY, 0 BOOLEAN.</param>
/// <param name="Levels">One a row: how many of the optional ones are there.</param>
/// <param name="Values">Those that are there, each in the PLAIN encoding.</param>
internal sealed record CraftedColumn(string[] Path, bool[] IsOptional, int Type, int[] Levels, byte[][] Values)
{
    public int MostLevel => IsOptional.Count(o => o);

    public bool IsText { get; init; }

    /// <summary>Encodes the values of a page in another way than PLAIN, with the format's number of the encoding.</summary>
    public (int Number, Func<byte[][], byte[]> Of)? Encoding { get; init; }

    public static byte[] Bytes(byte[] value) => [.. BitConverter.GetBytes(value.Length), .. value];

    public static byte[] Text(string value) => Bytes(System.Text.Encoding.UTF8.GetBytes(value));

    public static byte[] Whole(long value) => BitConverter.GetBytes(value);
}

/// <summary>How the pages of a file are made.</summary>
internal sealed record CraftedPages(
    int[] RowsPerPage, bool IsSecondVersion, bool HasDictionary, bool IsPacked, bool ArePackedLevels, bool HasNullCounts);

/// <summary>Writes Parquet by the format's description alone (parquet.thrift, Encodings.md), to have pages of every kind, split anywhere.</summary>
internal sealed class CraftedParquet : IDisposable
{
    private readonly MemoryStream _file = new();
    private readonly List<byte[]> _groups = [];
    private long _rows;

    private CraftedParquet() => _file.Write("PAR1"u8);

    /// <summary>A file of row groups with the same columns.</summary>
    public static byte[] Of(CraftedPages pages, IReadOnlyList<CraftedColumn[]> groups, string? huggingFace = null)
    {
        using var file = new CraftedParquet();
        foreach (var columns in groups) file.AddGroup(pages, columns);
        return file.End(groups[0], huggingFace);
    }

    public void Dispose() => _file.Dispose();

    private void AddGroup(CraftedPages pages, CraftedColumn[] columns)
    {
        var rows = columns[0].Levels.Length;
        _rows += rows;
        var chunks = columns.Select(c => Chunk(pages, c)).ToArray();
        _groups.Add(new Thrift().List(1, 12, chunks).Whole(2, 6, _file.Length).Whole(3, 6, rows).End());
    }

    private byte[] Chunk(CraftedPages pages, CraftedColumn column)
    {
        var start = _file.Position;
        var distinct = column.Values.Select(Convert.ToHexString).Distinct().ToArray();
        var dictionary = pages.HasDictionary && column.Encoding is null;
        if (dictionary)
            Page(pages, new Thrift().Whole(1, 5, 2), [], [.. distinct.SelectMany(Convert.FromHexString)], h => h.Structure(
                7, new Thrift().Whole(1, 5, distinct.Length).Whole(2, 5, 0)));
        var (first, row, value, turn) = (_file.Position, 0, 0, 0);
        while (row < column.Levels.Length)
        {
            var count = Math.Min(pages.RowsPerPage[turn++ % pages.RowsPerPage.Length], column.Levels.Length - row);
            var levels = column.Levels[row..(row + count)];
            var defined = column.MostLevel == 0 ? count : levels.Count(l => l == column.MostLevel);
            var values = column.Values[value..(value + defined)];
            (row, value) = (row + count, value + defined);
            var encoding = column.Encoding?.Number ?? (dictionary ? 8 : 0);
            var body = column.Encoding?.Of(values) ?? (dictionary ? Indices(values, distinct) : [.. values.SelectMany(v => v)]);
            var runs = column.MostLevel == 0 ? [] : Runs(levels, column.MostLevel > 1 ? 2 : 1, pages.ArePackedLevels);
            if (pages.IsSecondVersion)
                Page(pages, new Thrift().Whole(1, 5, 3), runs, body,
                    h =>
                        h.Structure(8, new Thrift(
                            ).Whole(1, 5, count).Whole(2, 5, count - defined).Whole(3, 5, count).Whole(4, 5, encoding).Whole(5, 5,
                            runs.Length).Whole(6, 5, 0).Truth(7, pages.IsPacked)));
            else
                Page(pages, new Thrift().Whole(1, 5, 0), [],
                    [.. column.MostLevel == 0 ? [] : (byte[])[.. BitConverter.GetBytes(runs.Length), .. runs], .. body],
                    h => h.Structure(5, new Thrift().Whole(1, 5, count).Whole(2, 5, encoding).Whole(3, 5, 3).Whole(4, 5, 3)));
        }

        var bytes = _file.Position - start;
        var meta = new Thrift().Whole(1, 5, column.Type).Wholes(2, [0, 3, 8]).Texts(3, column.Path).Whole(4, 5, pages.IsPacked ? 2 : 0).Whole(
            5, 6, column.Levels.Length)
            .Whole(6, 6, bytes).Whole(7, 6, bytes).Whole(9, 6, first);
        if (dictionary) meta.Whole(11, 6, start);
        if (pages.HasNullCounts) meta.Structure(12, new Thrift().Whole(3, 6, column.Levels.Length - column.Values.Length));
        return new Thrift().Whole(2, 6, start).Structure(3, meta).End();
    }

    private void Page(CraftedPages pages, Thrift header, byte[] levels, byte[] body, Func<Thrift, Thrift> kind)
    {
        // Some writers pack nothing into nothing.
        byte[] stored = [.. levels, .. pages.IsPacked && (body.Length > 0 || !pages.IsSecondVersion) ? Packed(body) : body];
        _file.Write(kind(header.Whole(2, 5, levels.Length + body.Length).Whole(3, 5, stored.Length)).End());
        _file.Write(stored);
    }

    private byte[] End(CraftedColumn[] columns, string? huggingFace)
    {
        var elements = new List<byte[]>();
        var roots = columns.GroupBy(c => c.Path[0]).ToArray();
        elements.Add(new Thrift().Text(4, "schema").Whole(5, 5, roots.Length).End());
        foreach (var root in roots) AddElements(elements, [.. root], 0);
        var footer = new Thrift().Whole(1, 5, 2).List(2, 12, [.. elements]).Whole(3, 6, _rows).List(4, 12, [.. _groups]);
        if (huggingFace is not null) footer.List(5, 12, [new Thrift().Text(1, "huggingface").Text(2, huggingFace).End()]);
        var bytes = footer.End();
        _file.Write(bytes);
        _file.Write(BitConverter.GetBytes(bytes.Length));
        _file.Write("PAR1"u8);
        return _file.ToArray();
    }

    private static void AddElements(List<byte[]> elements, CraftedColumn[] columns, int depth)
    {
        var (column, isLeaf) = (columns[0], columns[0].Path.Length == depth + 1);
        var element = new Thrift();
        if (isLeaf) element.Whole(1, 5, column.Type);
        element.Whole(3, 5, column.IsOptional[depth] ? 1 : 0).Text(4, column.Path[depth]);
        var below = isLeaf ? [] : columns.GroupBy(c => c.Path[depth + 1]).ToArray();
        if (!isLeaf) element.Whole(5, 5, below.Length);
        if (column.IsText && isLeaf) element.Whole(6, 5, 0);
        elements.Add(element.End());
        foreach (var child in below) AddElements(elements, [.. child], depth + 1);
    }

    private static byte[] Indices(byte[][] values, string[] distinct)
    {
        const int width = 4; // Enough for the 16 values that a test has at most.
        return [width, .. Runs([.. values.Select(v => Array.IndexOf(distinct, Convert.ToHexString(v)))], width, isPacked: true)];
    }

    /// <summary>Runs of equal values, or one run of values packed bit by bit.</summary>
    private static byte[] Runs(int[] values, int width, bool isPacked)
    {
        var bytes = new List<byte>();
        if (isPacked)
        {
            var eights = (values.Length + 7) / 8;
            Thrift.Varint(bytes, (ulong)(eights << 1) | 1);
            var bits = new System.Collections.BitArray(eights * 8 * width);
            for (var i = 0; i < values.Length; i++)
                for (var b = 0; b < width; b++) bits[(i * width) + b] = (values[i] >> b & 1) != 0;
            var packed = new byte[eights * width];
            bits.CopyTo(packed, 0);
            return [.. bytes, .. packed];
        }

        for (int i = 0, next; i < values.Length; i = next)
        {
            next = i + 1;
            while (next < values.Length && values[next] == values[i]) next++;
            Thrift.Varint(bytes, (ulong)(next - i) << 1);
            bytes.Add((byte)values[i]);
        }

        return [.. bytes];
    }

    private static byte[] Packed(byte[] body)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(body);
        return stream.ToArray();
    }

    /// <summary>A structure in Thrift's compact protocol. Type numbers: 5 i32, 6 i64, 8 text, 9 list, 12 structure.</summary>
    private sealed class Thrift
    {
        private readonly List<byte> _bytes = [];
        private int _last;

        public Thrift Whole(int id, int type, long value) => Field(id, type, b => Varint(b, (ulong)((value << 1) ^ (value >> 63))));

        public Thrift Truth(int id, bool value) => Field(id, value ? 1 : 2, _ => { });

        public Thrift Text(int id, string value) => Field(id, 8, b => AddText(b, value));

        public Thrift Structure(int id, Thrift value) => Field(id, 12, b => b.AddRange(value.End()));

        public Thrift List(int id, int type, byte[][] items) => Field(id, 9, b =>
        {
            b.Add((byte)(0xf0 | type));
            Varint(b, (ulong)items.Length);
            foreach (var item in items) b.AddRange(item);
        });

        public Thrift Wholes(int id, int[] items) => List(id, 5, [.. items.Select(i => (byte[])[(byte)(i << 1)])]);

        public Thrift Texts(int id, string[] items) => List(id, 8, [.. items.Select(t =>
        {
            var bytes = new List<byte>();
            AddText(bytes, t);
            return bytes.ToArray();
        })]);

        public byte[] End() => [.. _bytes, 0];

        public static void Varint(List<byte> bytes, ulong value)
        {
            for (; value >= 128; value >>= 7) bytes.Add((byte)(value | 128));
            bytes.Add((byte)value);
        }

        private static void AddText(List<byte> bytes, string text)
        {
            var encoded = Encoding.UTF8.GetBytes(text);
            Varint(bytes, (ulong)encoded.Length);
            bytes.AddRange(encoded);
        }

        private Thrift Field(int id, int type, Action<List<byte>> value)
        {
            _bytes.Add((byte)(((id - _last) << 4) | type));
            _last = id;
            value(_bytes);
            return this;
        }
    }
}
