using System.Collections.Concurrent;
using JepaSharp.Runtime;
using Parquet;
using Parquet.Schema;

namespace JepaSharp.Data.Sources.Columnar;

/// <summary>A Parquet file with a column of encoded images. Safe to use from several threads: each read has a reader of its own, and readers are kept.</summary>
internal sealed class ParquetFile : IDisposable
{
    // What a damaged or hostile footer may claim; Hugging Face writes groups of 100 to 1000 rows.
    private const long MostRows = 10_000_000, MostGroupBytes = 4L << 30, LeastOfMost = 1000;

    private readonly ConcurrentBag<ParquetReader> _idle = [];

    private readonly HandleStream _pages;

    private ParquetFile(string path, ParquetReader reader, DataField image)
    {
        (Path, Image, Schema) = (path, image, reader.Schema);
        Scalars = ParquetColumns.ScalarsOf(reader.Schema);
        Metadata = new Dictionary<string, string>(reader.CustomMetadata);
        GroupRows = new int[reader.RowGroupCount];
        GroupBytes = new long[reader.RowGroupCount];
        var mostRows = Math.Min(MostRows, LeastOfMost + new FileInfo(path).Length); // an image takes a byte or more
        for (var g = 0; g < GroupRows.Length; g++)
        {
            var group = reader.RowGroups[g];
            var (rows, bytes) = (group.RowCount, group.RowGroup.TotalByteSize);
            if (rows < 0 || rows > mostRows || bytes is < 0 or > MostGroupBytes)
                throw new JepaException($"{path} claims a row group of {rows:N0} rows and {bytes:N0} bytes. A group is read whole: write it again with row groups of about 1,000 images.", isUsage: true);
            (GroupRows[g], GroupBytes[g]) = ((int)rows, bytes);
        }

        _pages = new HandleStream(path);
        _idle.Add(reader);
    }

    public string Path { get; }

    public ParquetSchema Schema { get; }

    /// <summary>The column of image bytes.</summary>
    public DataField Image { get; }

    /// <summary>Columns of one text or number a row.</summary>
    public IReadOnlyList<DataField> Scalars { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Rows of each row group.</summary>
    public int[] GroupRows { get; }

    /// <summary>Uncompressed bytes of each row group.</summary>
    public long[] GroupBytes { get; }

    /// <summary>Opens a file and reads its footer.</summary>
    /// <exception cref="JepaException">The file is missing, no Parquet, or holds no images.</exception>
    public static ParquetFile Open(string path)
    {
        try
        {
            var reader = NewReader(path);
            return ParquetColumns.ImageOf(reader.Schema) is { } image
                ? new ParquetFile(path, reader, image)
                : throw new JepaException(
                    $"{path} has no column of images. Expected a struct with bytes and path, as Hugging Face stores images; found {string.Join(", ", reader.Schema.Fields.Select(f => f.Name))}.", isUsage: true);
        }
#pragma warning disable CA1031 // a damaged file makes the library throw anything
        catch (Exception e) when (e is not JepaException)
#pragma warning restore CA1031
        {
            throw new JepaException($"{path} is no Parquet file, or its footer is damaged or cut off ({e.Message}).", isUsage: true, e);
        }
    }

    /// <summary>Reads a column of a row group.</summary>
    /// <exception cref="Exception">The column is damaged: the library throws anything.</exception>
    public T Read<T>(int group, DataField column, Func<ParquetRowGroupReader, DataField, T> read)
    {
        var reader = _idle.TryTake(out var kept) ? kept : NewReader(Path);
        using var rows = reader.OpenRowGroupReader(group);
        if (rows.GetMetadata(column)?.MetaData is not { } chunk) throw new InvalidDataException("The row group does not hold the column.");
        ParquetLimits.CheckPages(_pages, chunk);
        var result = read(rows, column);
        _idle.Add(reader); // Not after a failure: its state is unknown.
        return result;
    }

    public void Dispose()
    {
        _pages.Dispose();
        while (_idle.TryTake(out var reader)) reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    private static ParquetReader NewReader(string path)
    {
        var stream = new HandleStream(path);
        try
        {
            ParquetLimits.CheckFooter(stream);
            return ParquetReader.CreateAsync(stream, leaveStreamOpen: false).GetAwaiter().GetResult();
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }
}
