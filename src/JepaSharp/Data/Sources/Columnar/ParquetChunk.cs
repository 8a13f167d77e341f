using Parquet;
using Parquet.Meta;
using Parquet.Schema;

namespace JepaSharp.Data.Sources.Columnar;

/// <summary>A column of a row group, about to be read; its values are placed by their definition levels.</summary>
/// <param name="Group">The row group.</param>
/// <param name="Field">The column.</param>
/// <param name="Pages">What its pages say.</param>
internal readonly record struct ParquetChunk(ParquetRowGroupReader Group, DataField Field, ParquetPages Pages)
{
    /// <summary>Reads one value a row.</summary>
    /// <typeparam name="TStored">What the column holds.</typeparam>
    /// <typeparam name="T">What is made of it.</typeparam>
    /// <param name="of">Makes a value.</param>
    /// <param name="none">The value of a row that has none: it, or anything that it lies in, is null.</param>
    /// <exception cref="InvalidDataException">The column does not hold one value or null a row, or is stored in a way that is not read.</exception>
    public T[] Read<TStored, T>(Converter<TStored, T> of, T none)
        where TStored : struct
    {
        var rows = checked((int)Group.RowCount);
        if (Group.GetMetadata(Field)?.MetaData?.NumValues is var stored && stored != rows)
            throw new InvalidDataException($"The column holds {stored:N0} values, nulls included, for {rows:N0} rows.");
        if (typeof(TStored) == typeof(bool) && Pages.Encodings.Contains(Encoding.RLE))
            throw new InvalidDataException("Its truth values are stored as runs, as pages of version 2 have them, which is not read; write them "
                + "as whole numbers.");
        var most = Field.MaxDefinitionLevel;
        var values = new TStored[rows];
        var levels = new int[rows];
        Memory<int>? asked = most > 0 ? levels.AsMemory() : default(Memory<int>?);
        Group.ReadRawAsync(Field, values.AsMemory(), asked, null).AsTask().GetAwaiter().GetResult();
        var read = new T[rows];
        var next = 0; // Only what is there is stored, in order.
        for (var row = 0; row < rows; row++) read[row] = levels[row] < most ? none : of(values[next++]);
        if (Pages.Nulls is { } nulls && nulls != rows - next) throw new InvalidDataException($"Its pages claim {nulls:N0} nulls; there are "
            + $"{rows - next:N0}.");
        return read;
    }
}

/// <summary>What the pages of a column of a row group say of themselves.</summary>
/// <param name="End">Where the last one ends in the file.</param>
/// <param name="Nulls">Rows without value by their headers; null where these do not say.</param>
/// <param name="Encodings">How values are stored.</param>
internal sealed record ParquetPages(long End, long? Nulls, IReadOnlySet<Encoding> Encodings);
