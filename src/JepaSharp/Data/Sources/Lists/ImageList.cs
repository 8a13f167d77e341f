using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources.Folders;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Lists;

/// <summary>The images that a CSV or TSV file lists, one a row: <c>path[,label...]</c>, or <c>path label</c> with a space; with a head or
/// without.</summary>
/// <remarks>
/// Paths are relative to the list's folder, or to another that is named. With a head the path is in the column called path, file, image or the like,
/// else in the first. Classes are taken from the column asked for; else from one called label, class or target; else from the second where there are
/// two. Columns of numbers are <see cref="Columns"/>.
/// </remarks>
public sealed class ImageList : ImageSource
{
    private static readonly string[] LabelNames = ["label", "class", "class_name", "target", "category"];

    private readonly string _path, _folder;
    private readonly string[] _names;
    private readonly ClassLabels _labels;
    private readonly Dictionary<string, double[]> _columns;
    private readonly DecodingLimits _limits;
    private readonly List<string> _notices = [];

    /// <summary>Reads a list.</summary>
    /// <param name="path">The file, in UTF-8.</param>
    /// <param name="label">Column to take the classes from; null to choose.</param>
    /// <param name="limits">What to refuse by an image's header.</param>
    /// <param name="images">Folder that relative paths begin in; null for the list's own.</param>
    /// <exception cref="JepaException">The file or the folder is missing, the file is no table, or it has no such column.</exception>
    public ImageList(string path, string? label = null, DecodingLimits? limits = null, string? images = null)
        : this(path, label, [], limits, images)
    {
    }

    internal ImageList(string path, string? label, IReadOnlyList<RowCondition> conditions, DecodingLimits? limits = null, string? images = null)
    {
        _path = Path.GetFullPath(path);
        _folder = ListedFiles.FolderOf(path, images);
        _limits = limits ?? DecodingLimits.Default;
        var table = ImageRows.Read(path, conditions, _folder);
        _names = [.. table.Rows.Select(r => HomePath.Expand(r[table.PathColumn].Replace('\\', '/')))];
        _columns = table.Columns.Index().Where(c => c.Index != table.PathColumn)
            .Select(c => (c.Item, Numbers: table.NumbersOf(c.Index))).Where(c => c.Numbers is not null).ToDictionary(
                c => c.Item, c => c.Numbers!, StringComparer.Ordinal);
        var usual = LabelColumnsOf(table);
        if (label is null && usual.Count > 1)
            _notices.Add($"of the columns {string.Join(" and ", usual.Select(c => table.Columns[c]))}, {table.Columns[usual[0]]} is taken for "
                + "the labels; '#label=COLUMN' behind the path takes another.");
        var other = table.Columns.Count == 2 ? 1 - table.PathColumn : -1;
        var labelColumn = label is not null ? table.IndexOf(label, path) : usual.Count > 0 ? usual[0] : other;
        _labels = labelColumn < 0 ? ClassLabels.None : ClassLabels.Of([.. table.Rows.Select(r => r[labelColumn])]);
        _notices.AddRange(_labels.Notices());
        if (RepeatedRows.NoticeOf(_folder, _names, _labels) is { } repeated) _notices.Add(repeated);
        Sum = table.Found == _names.Length
            ? $"{Quantity.Of(table.Found, "row", "rows")} found, all read."
            : $"{table.Found:N0} rows found: {_names.Length:N0} read, {table.Found - _names.Length:N0} passed over: those that do not meet the "
                + $"conditions.";
    }

    /// <inheritdoc/>
    public override int Count => _names.Length;

    /// <inheritdoc/>
    public override string Description => _path;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => _labels.Classes;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Columns => [.. _columns.Keys];

    /// <inheritdoc/>
    public override string Sum { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Notices => _notices;

    /// <inheritdoc/>
    public override string NameOf(int index) => PrintableName.Of(_names[index]);

    /// <inheritdoc/>
    public override int? LabelOf(int index) => _labels.Of(index);

    /// <inheritdoc/>
    public override double? ValueOf(int index, string column)
    {
        if (!_columns.TryGetValue(column, out var values)) return base.ValueOf(index, column);
        return double.IsNaN(values[index]) ? null : values[index];
    }

    /// <inheritdoc/>
    public override long StoredBytes(int index) => RegularFile.LengthOf(Path.Combine(_folder, _names[index]));

    /// <inheritdoc/>
    public override string? PathOf(int index) => Path.Combine(_folder, _names[index]);

    /// <inheritdoc/>
    public override OpenedImage Open(int index) => ImageDecoder.Open(Path.Combine(_folder, _names[index]), NameOf(index), _limits);

    /// <summary>The columns called as labels are, the plainest name first.</summary>
    private static List<int> LabelColumnsOf(ImageRows table) =>
        [.. LabelNames.SelectMany(n => table.Columns.Index().Where(c => c.Item.Trim().Equals(n, StringComparison.OrdinalIgnoreCase)))
            .Select(c => c.Index).Where(i => i != table.PathColumn)];
}

/// <summary>Notices rows that list a file that another row lists, in other words or not: <c>a/1.jpg</c> and <c>./a//1.jpg</c>, or a link.</summary>
internal static class RepeatedRows
{
    // Asking a disk for every file of a longer list takes too long; there, paths are compared.
    private const int MostAsked = 100_000;

    /// <summary>A sentence; null where every row lists a file of its own.</summary>
    /// <param name="folder">Where relative paths begin.</param>
    /// <param name="names">The paths listed.</param>
    /// <param name="labels">Their labels.</param>
    /// <param name="row">What one of them is called.</param>
    /// <param name="rows">What several are called.</param>
    public static string? NoticeOf(string folder, IReadOnlyList<string> names, ClassLabels labels, string row = "row", string rows = "rows")
    {
        var firsts = new Dictionary<FileIdentity, int>(names.Count);
        var (repeated, disagreeing, example) = (0, 0, "");
        for (var i = 0; i < names.Count; i++)
        {
            var path = Path.GetFullPath(Path.Combine(folder, names[i]));
            var identity = names.Count <= MostAsked && FileStatus.Of(path) is { } status ? status.Identity : new FileIdentity(0, 0, path);
            if (firsts.TryAdd(identity, i)) continue;
            var first = firsts[identity];
            repeated++;
            if (labels.Of(first) != labels.Of(i)) disagreeing++;
            if (example.Length == 0 || (names[i] != names[first] && !example.Contains(" and ", StringComparison.Ordinal)))
                example = PrintableName.Of(names[i] == names[first] ? names[i] : $"{names[first]} and {names[i]}");
        }

        var labelled = disagreeing == 0 ? "" : $", {disagreeing:N0} of them with another label";
        return repeated == 0
            ? null
            : $"{Quantity.Of(repeated, $"{row} lists", $"{rows} list")} an image that another {row} lists too ({example}){labelled}; each {row} "
                + $"counts.";
    }
}
