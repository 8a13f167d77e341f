using System.Buffers.Binary;
using Parquet.Meta;

namespace JepaSharp.Data.Sources.Columnar;

/// <summary>Checks of a Parquet file before the library reads it: nothing in it may claim more than the file can hold.</summary>
internal static class ParquetLimits
{
    private const int EndLength = 8, LongestFooter = 256 << 20, LongestHeader = 1 << 24, FirstWindow = 1 << 12;

    // No codec makes more of a byte than DEFLATE's 1,032, but for those made of nothing else than repetition; runs of levels and dictionary indices
    // add to it.
    private const long MostExpansion = 2000, Spare = 1 << 20;

    private const int DataPage = 0, DictionaryPage = 2, DataPageV2 = 3;

    /// <summary>Refuses a file whose footer is not sound.</summary>
    /// <exception cref="IOException">It claims more than it holds.</exception>
    /// <exception cref="InvalidDataException">It is not what it has to be, or this is no Parquet file.</exception>
    public static void CheckFooter(HandleStream file)
    {
        Span<byte> end = stackalloc byte[EndLength];
        if (file.Length < 4 + EndLength) throw new InvalidDataException("It is too short.");
        file.ReadExactlyAt(end, file.Length - EndLength);
        if (!end[4..].SequenceEqual("PAR1"u8)) throw new InvalidDataException("It does not end in PAR1.");
        var length = BinaryPrimitives.ReadUInt32LittleEndian(end);
        if (length > LongestFooter || length > file.Length - EndLength - 4) throw new InvalidDataException($"Its footer claims {length:N0} bytes.");
        var footer = new byte[length];
        file.ReadExactlyAt(footer, file.Length - EndLength - length);
        ThriftChecker.Check(footer, ParquetStructure.File);
    }

    /// <summary>Refuses a column whose pages are not sound, going from page to page as the library does.</summary>
    /// <param name="file">The file.</param>
    /// <param name="column">The column of a row group.</param>
    /// <returns>What the pages say.</returns>
    /// <exception cref="IOException">A page claims more than the file holds.</exception>
    /// <exception cref="InvalidDataException">A page is not what it has to be.</exception>
    public static ParquetPages CheckPages(HandleStream file, ColumnMetaData column)
    {
        var at = Start(column);
        var left = column.NumValues;
        long? nulls = 0;
        var encodings = new HashSet<Encoding>();
        var numbers = new Dictionary<(ParquetStructure, int), long>();
        while (left > 0)
        {
            numbers.Clear();
            at += HeaderLength(file, at, numbers);
            long Number(ParquetStructure structure, int id) => numbers.GetValueOrDefault((structure, id));
            var (type, whole, stored) = (Number(ParquetStructure.Page, 1), Number(ParquetStructure.Page, 2), Number(ParquetStructure.Page, 3));
            if (stored < 0 || stored > file.Length - at)
                throw new InvalidDataException($"A page claims {stored:N0} bytes; there are {file.Length - at:N0}.");
            if (whole < 0 || whole > (stored * MostExpansion) + Spare)
                throw new InvalidDataException($"A page of {stored:N0} bytes claims to hold {whole:N0}.");
            var values = type switch
            {
                DataPage => Number(ParquetStructure.DataPage, 1),
                DataPageV2 => Number(ParquetStructure.DataPageV2, 1),
                DictionaryPage => Number(ParquetStructure.DictionaryPage, 1),
                _ => throw new InvalidDataException($"A page is of kind {type}, which is not one of data."),
            };
            if (values < 0 || values > left) throw new InvalidDataException($"A page claims {values:N0} values; {left:N0} are left in its column.");
            if (type != DictionaryPage && values == 0) throw new InvalidDataException("A page holds no values.");
            if (column.Codec == CompressionCodec.SNAPPY)
                CheckSnappy(file, at, stored, type == DataPageV2
                    ? Number(ParquetStructure.DataPageV2, 5) + Number(ParquetStructure.DataPageV2, 6) : 0, whole);
            at += stored;
            if (type == DictionaryPage) continue;
            left -= values;
            nulls = type == DataPageV2 ? nulls + Number(ParquetStructure.DataPageV2, 2) : null;
            encodings.Add((Encoding)(type == DataPageV2 ? Number(ParquetStructure.DataPageV2, 4) : Number(ParquetStructure.DataPage, 2)));
        }

        return new ParquetPages(at, nulls, encodings);
    }

    /// <summary>What is packed by Snappy begins with its own length, which the library believes.</summary>
    private static void CheckSnappy(HandleStream file, long at, long stored, long levels, long whole)
    {
        const int LongestLength = 5;
        if (levels < 0 || levels > stored) throw new InvalidDataException($"A page of {stored:N0} bytes claims {levels:N0} of levels.");
        Span<byte> start = stackalloc byte[(int)Math.Min(LongestLength, stored - levels)];
        file.ReadExactlyAt(start, at + levels);
        var length = 0L;
        for (var i = 0; i < start.Length; i++)
        {
            length |= (long)(start[i] & 127) << (7 * i);
            if (start[i] < 128) break;
        }

        if (length > whole) throw new InvalidDataException($"A page of {whole:N0} bytes claims {length:N0} once unpacked.");
    }

    private static long Start(ColumnMetaData column) =>
        column.DictionaryPageOffset is > 0 and { } dictionary ? Math.Min(dictionary, column.DataPageOffset) : column.DataPageOffset;

    /// <summary>Checks the header of the page at an offset, in a window that grows while the header goes on.</summary>
    private static int HeaderLength(HandleStream file, long at, Dictionary<(ParquetStructure, int), long> numbers)
    {
        if (at < 0 || at >= file.Length) throw new InvalidDataException("A page begins outside the file.");
        for (var window = FirstWindow; ; window *= 16)
        {
            var bytes = new byte[Math.Min(window, file.Length - at)];
            file.ReadExactlyAt(bytes, at);
            try
            {
                return ThriftChecker.Check(bytes, ParquetStructure.Page, numbers);
            }
            catch (EndOfStreamException) when (bytes.Length == window && window < LongestHeader)
            {
                numbers.Clear();
            }
        }
    }
}
