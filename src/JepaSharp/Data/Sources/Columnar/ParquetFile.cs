using System.Collections.Concurrent;
using JepaSharp.Runtime;
using Parquet;
using Parquet.Schema;

namespace JepaSharp.Data.Sources.Columnar;

/// <summary>A Parquet file with a column of encoded images. Safe to use from several threads: each read has a reader of its own, and readers are
/// kept.</summary>
internal sealed class ParquetFile : IDisposable
{
    // What a damaged or hostile footer may claim; Hugging Face writes groups of 100 to 1000 rows.
    private const long MostRows = 10_000_000, MostGroupBytes = 4L << 30, LeastOfMost = 1000;

    private readonly ConcurrentBag<(ParquetReader Reader, HandleStream Stream)> _idle = [];

    private readonly HandleStream _pages;

    private ParquetFile(string path, ParquetReader reader, HandleStream stream, string? image)
    {
        (Path, Schema) = (path, reader.Schema);
        Metadata = new Dictionary<string, string>(reader.CustomMetadata);
        Image = ParquetImageColumns.Choose(path, Schema, Metadata, image);
        Scalars = ParquetColumns.ScalarsOf(reader.Schema);
        GroupRows = new int[reader.RowGroupCount];
        GroupBytes = new long[reader.RowGroupCount];
        var mostRows = Math.Min(MostRows, LeastOfMost + new FileInfo(path).Length); // an image takes a byte or more
        for (var g = 0; g < GroupRows.Length; g++)
        {
            var group = reader.RowGroups[g];
            var (rows, bytes) = (group.RowCount, group.RowGroup.TotalByteSize);
            if (rows < 0 || rows > mostRows || bytes is < 0 or > MostGroupBytes)
                throw new JepaException(
                    $"{path} claims a row group of {rows:N0} rows and {bytes:N0} bytes. A group is read whole: write it again with row groups of "
                        + $"about 1,000 images.", isUsage: true);
            (GroupRows[g], GroupBytes[g]) = ((int)rows, bytes);
        }

        _pages = new HandleStream(path);
        _idle.Add((reader, stream));
        RowsWithoutImage = CountNulls(reader, Image);
    }

    public string Path { get; }

    public ParquetSchema Schema { get; }

    /// <summary>The column of image bytes.</summary>
    public DataField Image { get; }

    /// <summary>Rows whose image is null, as far as the footer says; null where it does not.</summary>
    public long? RowsWithoutImage { get; }

    /// <summary>Columns of one text or number a row.</summary>
    public IReadOnlyList<DataField> Scalars { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Rows of each row group.</summary>
    public int[] GroupRows { get; }

    /// <summary>Uncompressed bytes of each row group.</summary>
    public long[] GroupBytes { get; }

    /// <summary>Opens a file and reads its footer.</summary>
    /// <param name="path">The file.</param>
    /// <param name="image">Name of its column of images; null to choose.</param>
    /// <exception cref="JepaException">The file is missing, no Parquet, or holds no images.</exception>
    public static ParquetFile Open(string path, string? image = null)
    {
        try
        {
            var (reader, stream) = NewReader(path);
            return new ParquetFile(path, reader, stream, image);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or UnusableFileException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new JepaException($"{path} cannot be read: {e.Message}", isUsage: true, e);
        }
#pragma warning disable CA1031 // a damaged file makes the library throw anything
        catch (Exception e) when (e is not JepaException)
#pragma warning restore CA1031
        {
            if (ForeignContent.OfFile(path) is { } foreign) throw new JepaException($"{path} is no Parquet file but {foreign.What}: "
                + $"{foreign.Remedy}.", isUsage: true, e);
            throw new JepaException($"{path} is no Parquet file, or its footer is damaged or cut off ({e.Message}).", isUsage: true, e);
        }
    }

    /// <summary>Reads a column of a row group.</summary>
    /// <exception cref="Exception">The column is damaged: the library throws anything.</exception>
    public T Read<T>(int group, DataField column, Func<ParquetChunk, T> read)
    {
        var (reader, stream) = _idle.TryTake(out var kept) ? kept : NewReader(Path);
        using var rows = reader.OpenRowGroupReader(group);
        if (rows.GetMetadata(column)?.MetaData is not { } chunk) throw new InvalidDataException("The row group does not hold the column.");
        var pages = ParquetLimits.CheckPages(_pages, chunk);
        stream.End = pages.End;
        var result = read(new ParquetChunk(rows, column, pages));
        stream.End = long.MaxValue;
        _idle.Add((reader, stream)); // Not after a failure: its state is unknown.
        return result;
    }

    public void Dispose()
    {
        _pages.Dispose();
        while (_idle.TryTake(out var kept)) kept.Reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    private static long? CountNulls(ParquetReader reader, DataField column)
    {
        long? nulls = 0;
        for (var g = 0; g < reader.RowGroupCount; g++)
        {
            using var group = reader.OpenRowGroupReader(g);
            nulls += column.MaxDefinitionLevel == 0 ? 0 : group.GetMetadata(column)?.MetaData?.Statistics?.NullCount;
        }

        return nulls;
    }

    private static (ParquetReader Reader, HandleStream Stream) NewReader(string path)
    {
        var stream = new HandleStream(path);
        try
        {
            ParquetLimits.CheckFooter(stream);
            return (ParquetReader.CreateAsync(stream, leaveStreamOpen: false).GetAwaiter().GetResult(), stream);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }
}
