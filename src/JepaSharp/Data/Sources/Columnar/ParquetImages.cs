using System.Globalization;
using JepaSharp.Data.Decoding;
using JepaSharp.Runtime;
using Parquet.Schema;

namespace JepaSharp.Data.Sources.Columnar;

/// <summary>The images in Parquet files as Hugging Face stores data sets: a struct <c>image</c> of <c>bytes</c> and <c>path</c>, and a <c>label</c>.</summary>
/// <remarks>
/// A row group is read whole and kept for a while, up to 256 MiB of them, so reading in order is fast and a set that fits is read once. A larger one in
/// random order reads a group for every image: pack it first (<c>jepa pack</c>).
/// </remarks>
public sealed class ParquetImages : ImageSource
{
    private const long CachedBytes = 256L << 20;

    private readonly ParquetFile[] _files;
    private readonly int[] _firsts;
    private readonly (int File, int Group, int FirstRow)[] _groups;
    private readonly RowGroupCache _cache;
    private readonly ClassLabels _labels = ClassLabels.None;
    private readonly Dictionary<string, double[]> _columns = new(StringComparer.Ordinal);
    private readonly List<string> _notices = [];
    private readonly DecodingLimits _limits;

    /// <summary>Reads footers, labels and columns of numbers.</summary>
    /// <param name="paths">Files of the same columns, in order.</param>
    /// <param name="description">What to call them together.</param>
    /// <param name="label">Column to take the classes from; null for one called label or the like.</param>
    /// <param name="limits">What to refuse by an image's header.</param>
    /// <exception cref="JepaException">A file is missing, no Parquet, without images or without the label.</exception>
    public ParquetImages(IReadOnlyList<string> paths, string description, string? label = null, DecodingLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(paths);
        (Description, _limits) = (description, limits ?? DecodingLimits.Default);
        _files = [.. paths.Select(ParquetFile.Open)];
        var (groups, firsts, count) = (new List<(int, int, int)>(), new List<int>(), 0L);
        for (var f = 0; f < _files.Length; f++)
        {
            for (int g = 0, row = 0; g < _files[f].GroupRows.Length; row += _files[f].GroupRows[g++])
            {
                if (_files[f].GroupRows[g] == 0) continue;
                groups.Add((f, g, row));
                firsts.Add((int)count);
                count += _files[f].GroupRows[g];
                if (count > Array.MaxLength) throw new JepaException($"{description} claims more than {Array.MaxLength:N0} rows.", isUsage: true);
            }
        }

        if (count == 0) throw new JepaException($"{description} holds no rows.", isUsage: true);
        (Count, _groups, _firsts) = ((int)count, [.. groups], [.. firsts]);
        _cache = new RowGroupCache(CachedBytes, k => _files[k.File].Read(k.Group, _files[k.File].Image, ParquetColumns.ReadBytes), k => _files[k.File].GroupBytes[k.Group]);
        var scalars = _files[0].Scalars;
        var labelled = label is null ? ParquetColumns.LabelOf(scalars) : scalars.FirstOrDefault(s => s.Name == label)
            ?? throw new JepaException($"{description} has no column \"{label}\". It has: {string.Join(", ", scalars.Select(s => s.Name))}.", isUsage: true);
        foreach (var column in scalars.Where(s => !ParquetColumns.IsText(s))) _columns[column.Name] = ReadAll(column.Name, ParquetColumns.ReadNumbers);
        if (labelled is null) return;
        _labels = LabelsOf(labelled);
        _notices.AddRange(_labels.Notices());
    }

    /// <inheritdoc/>
    public override int Count { get; }

    /// <inheritdoc/>
    public override string Description { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => _labels.Classes;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Columns => [.. _columns.Keys];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Notices => _notices;

    /// <inheritdoc/>
    public override string NameOf(int index)
    {
        var (group, row) = Locate(index);
        return string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(_files[group.File].Path)}[{group.FirstRow + row}]");
    }

    /// <inheritdoc/>
    public override int? LabelOf(int index) => _labels.Of(index);

    /// <inheritdoc/>
    public override double? ValueOf(int index, string column)
    {
        if (!_columns.TryGetValue(column, out var values)) return base.ValueOf(index, column);
        return double.IsNaN(values[index]) ? null : values[index];
    }

    /// <inheritdoc/>
    public override OpenedImage Open(int index)
    {
        var (group, row) = Locate(index);
        byte[]? bytes;
        try
        {
            bytes = _cache.Get((group.File, group.Group))[row];
        }
#pragma warning disable CA1031 // a damaged file makes the library throw anything
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw new ImageUnreadableException(NameOf(index), $"row group {group.Group} of the file cannot be read ({e.Message}).", e);
        }

        return bytes is null
            ? throw new ImageUnreadableException(NameOf(index), "the row has no image bytes; a data set stored with paths alone cannot be read.")
            : ImageDecoder.Open(bytes, NameOf(index), _limits);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) Array.ForEach(_files, f => f.Dispose());
        base.Dispose(disposing);
    }

    private ((int File, int Group, int FirstRow) Group, int Row) Locate(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        var at = Array.BinarySearch(_firsts, index);
        if (at < 0) at = ~at - 1;
        return (_groups[at], index - _firsts[at]);
    }

    /// <summary>Numbers with names in the metadata keep their order and names; anything else is classes by its texts.</summary>
    private ClassLabels LabelsOf(DataField column)
    {
        if (ParquetColumns.IsText(column) || ParquetColumns.ClassNames(_files[0].Metadata, column.Name) is not { Count: > 0 } names)
            return ClassLabels.Of(ReadAll(column.Name, ParquetColumns.ReadTexts));
        return new ClassLabels(names, Array.ConvertAll(_columns[column.Name], n => n >= 0 && n < names.Count ? (int)n : -1));
    }

    private T[] ReadAll<T>(string column, Func<Parquet.ParquetRowGroupReader, DataField, T[]> read)
    {
        var all = new List<T>(Count);
        foreach (var (f, g, _) in _groups)
        {
            var file = _files[f];
            var field = file.Scalars.FirstOrDefault(s => s.Name == column)
                ?? throw new JepaException($"{file.Path} has no column \"{column}\", which {_files[0].Path} has. Expected the same columns in every file.", isUsage: true);
            try
            {
                all.AddRange(file.Read(g, field, read));
            }
#pragma warning disable CA1031 // a damaged file makes the library throw anything
            catch (Exception e)
#pragma warning restore CA1031
            {
                throw new JepaException($"{file.Path}: column \"{column}\" of row group {g} cannot be read ({e.Message}).", isUsage: true, e);
            }
        }

        return [.. all];
    }
}
