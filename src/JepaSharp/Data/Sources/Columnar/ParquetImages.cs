using System.Globalization;
using JepaSharp.Data.Decoding;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Columnar;

/// <summary>The images in Parquet files as Hugging Face stores data sets: a struct <c>image</c> of <c>bytes</c> and <c>path</c>, and a
/// <c>label</c>.</summary>
/// <remarks>
/// A row group is read whole and kept for a while, up to 256 MiB of them, so reading in order is fast and a set that fits is read once. A larger one
/// in random order reads a group for every image: pack it first (<c>jepa pack</c>).
/// </remarks>
public sealed class ParquetImages : ImageSource
{
    private const long CachedBytes = 256L << 20;
    private const string PathsAlone = "a data set stored with paths alone cannot be read.";

    private readonly ParquetFile[] _files;
    private readonly int[] _firsts;
    private readonly (int File, int Group, int FirstRow)[] _groups;
    private readonly RowGroupCache _cache;
    private readonly ClassLabels _labels = ClassLabels.None;
    private readonly bool _areNullsCounted, _arePathsAlone;
    private readonly Dictionary<string, double[]> _columns = new(StringComparer.Ordinal);
    private readonly List<string> _notices = [];
    private readonly DecodingLimits _limits;

    /// <summary>Reads footers, labels and columns of numbers.</summary>
    /// <param name="paths">Files of the same columns, in order.</param>
    /// <param name="description">What to call them together.</param>
    /// <param name="label">Column to take the classes from; null for one called label or the like.</param>
    /// <param name="limits">What to refuse by an image's header.</param>
    /// <param name="image">Column to take the images from; null for one called image or the like.</param>
    /// <exception cref="JepaException">A file is missing, no Parquet, without images or without the label.</exception>
    public ParquetImages(IReadOnlyList<string> paths, string description, string? label = null, DecodingLimits? limits = null, string? image = null)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentOutOfRangeException.ThrowIfZero(paths.Count);
        (Description, _limits) = (description, limits ?? DecodingLimits.Default);
        var first = ParquetFile.Open(paths[0], image);
        var name = ParquetImageColumns.NameOf(first.Image);
        _files = [first, .. paths.Skip(1).Select(p => ParquetFile.Open(p, name))];
        var images = ParquetImageColumns.Of(first.Schema, first.Metadata);
        if (image is null && images.Count > 1) _notices.Add($"of the {images.Count} columns of images, {ParquetImageColumns.Names(images)}, "
            + $"{name} is taken; '#image=COLUMN' behind the path takes another.");
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
        _notices.AddRange(MissingParts.Notices(paths));
        var without = Array.TrueForAll(_files, f => f.RowsWithoutImage is not null) ? _files.Sum(f => f.RowsWithoutImage) : null;
        (_areNullsCounted, _arePathsAlone) = (without is not null, without == Count);
        if (_arePathsAlone) _notices.Add($"no row has image bytes in {name}; {PathsAlone}");
        else if (without > 0 && without < Count) _notices.Add($"rows without image bytes in {name}: {without:N0} of {Count:N0}.");
        _cache = new RowGroupCache(
            CachedBytes, k => _files[k.File].Read(k.Group, _files[k.File].Image, ParquetColumns.ReadBytes), k => _files[k.File].GroupBytes[k.Group]);
        var scalars = first.Scalars;
        var labels = ParquetColumns.LabelsOf(scalars);
        var labelled = label is null ? (labels.Count > 0 ? labels[0] : null) : scalars.FirstOrDefault(s => s.Name == label)
            ?? throw new JepaException(
                $"{description} has no column \"{label}\". It has: {string.Join(", ", scalars.Select(s => s.Name))}.", isUsage: true);
        if (label is null && labels.Count > 1)
            _notices.Add($"of the columns {string.Join(" and ", labels.Select(l => l.Name))}, {labelled!.Name} is taken for the labels; "
                + "'#label=COLUMN' behind the path takes another.");
        foreach (var column in scalars.Where(s => !ParquetColumns.IsText(s))) ReadNumbers(column.Name, isNeeded: column == labelled);
        if (labelled is null) return;
        _labels = ParquetLabels.Of(_files, labelled.Name, f => ReadAll(f, labelled.Name, ParquetColumns.ReadTexts), _notices);
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
        byte[]?[] images;
        try
        {
            images = _cache.Get((group.File, group.Group));
        }
#pragma warning disable CA1031 // a damaged file makes the library throw anything
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw new ImageUnreadableException(NameOf(index), $"row group {group.Group} of the file cannot be read ({e.Message}).", e);
        }

        var arePathsAlone = _arePathsAlone || (!_areNullsCounted && Array.TrueForAll(images, i => i is null));
        return images[row] switch
        {
            null => throw new ImageUnreadableException(NameOf(index), arePathsAlone ? $"the row has no image bytes; {PathsAlone}"
                : "the row has no image bytes."),
            { Length: 0 } => throw new ImageUnreadableException(NameOf(index), "the row's image is empty: 0 bytes."),
            var bytes => ImageDecoder.Open(bytes, NameOf(index), _limits),
        };
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

    /// <summary>Numbers that cannot be read are left out and said, unless they are the labels.</summary>
    private void ReadNumbers(string column, bool isNeeded)
    {
        try
        {
            _columns[column] = [.. _files.SelectMany(f => ReadAll(f, column, ParquetColumns.ReadNumbers))];
        }
        catch (JepaException e) when (!isNeeded)
        {
            _notices.Add($"the numbers in \"{column}\" are left out. {e.Message}");
        }
    }

    private T[] ReadAll<T>(ParquetFile file, string column, Func<ParquetChunk, T[]> read)
    {
        var field = file.Scalars.FirstOrDefault(s => s.Name == column)
            ?? throw new JepaException($"{file.Path} has no column \"{column}\", which {_files[0].Path} has. Expected the same columns in every "
                + "file.", isUsage: true);
        var all = new List<T>();
        for (var g = 0; g < file.GroupRows.Length; g++)
        {
            if (file.GroupRows[g] == 0) continue;
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
