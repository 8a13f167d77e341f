using System.Globalization;
using System.Text;
using JepaSharp.Data.Sources.Folders;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Lists;

/// <summary>A list of images as a table of texts: the rows that were asked for, with the names of the columns.</summary>
/// <param name="Columns">Names of the columns: those of the head, or "path", "label", "column3" and so on.</param>
/// <param name="PathColumn">Which of them holds the path.</param>
/// <param name="Rows">One an image, as many fields as columns.</param>
internal sealed record ImageRows(IReadOnlyList<string> Columns, int PathColumn, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    /// <summary>How many rows there were, those that were not asked for included.</summary>
    public int Found { get; private set; }

    private static readonly string[] PathNames =
        ["path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "img", "name"];

    /// <summary>Reads a list.</summary>
    /// <param name="path">A CSV or TSV file in UTF-8.</param>
    /// <param name="conditions">What a row must meet.</param>
    /// <param name="folder">Where relative paths begin.</param>
    /// <exception cref="JepaException">The file is missing, no table, or has no such column.</exception>
    public static ImageRows Read(string path, IReadOnlyList<RowCondition> conditions, string folder)
    {
        try
        {
            using var reader = new StreamReader(RegularFile.OpenRead(path), new UTF8Encoding(false, throwOnInvalidBytes: true));
            return Read(reader, path, conditions, folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JepaException($"{path} cannot be read: {e.Message}", isUsage: true, e);
        }
        catch (DecoderFallbackException e)
        {
            throw new JepaException($"{path} is not UTF-8 text. Expected a CSV or TSV list of images: save it as UTF-8.", isUsage: true, e);
        }
    }

    /// <summary>Index of a column.</summary>
    /// <exception cref="JepaException">There is no such column.</exception>
    public int IndexOf(string column, string path)
    {
        var index = Columns.Index().Where(c => c.Item == column).Select(c => c.Index).FirstOrDefault(-1);
        return index >= 0 ? index : throw new JepaException(
            $"{path} has no column \"{column}\". It has: {string.Join(", ", Columns)}.", isUsage: true);
    }

    /// <summary>The numbers of a column, NaN where a field is empty; null where it holds anything else.</summary>
    public double[]? NumbersOf(int column)
    {
        var numbers = new double[Rows.Count];
        for (var i = 0; i < numbers.Length; i++)
        {
            var text = Rows[i][column];
            if (text.Length == 0) numbers[i] = double.NaN;
            else if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i])) return null;
        }

        return Array.TrueForAll(numbers, double.IsNaN) ? null : numbers;
    }

    private static ImageRows Read(TextReader reader, string path, IReadOnlyList<RowCondition> conditions, string folder)
    {
        var head = reader.ReadLine() ?? "";
        var all = new HeadThenRest(head, reader);
        var delimiter = DelimiterOf(path, head);
        IRowReader text = delimiter == ' ' ? new SpacedText(all) : new DelimitedText(all, delimiter, path);
        var first = text.Next() ?? throw new JepaException($"{path} is empty. Expected a row an image: path[,label...].", isUsage: true);
        var hasHead = !first.Exists(field => IsImageName(field) || IsFile(folder, field));
        List<string> columns = hasHead ? first : [.. first.Select((_, i) => i switch { 0 => "path", 1 => "label", _ => $"column{i + 1}" })];
        var duplicate = columns.GroupBy(c => c, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1);
        if (duplicate is not null) throw new JepaException($"{path} names two columns \"{duplicate.Key}\". Rename one.", isUsage: true);
        var rows = new List<IReadOnlyList<string>>();
        var table = new ImageRows(columns, hasHead ? PathColumnOf(columns) : 0, rows);
        var tests = conditions
            .Select(c => (Column: table.IndexOf(c.Column, path), Condition: c, Seen: new HashSet<string>(StringComparer.Ordinal))).ToArray();
        for (var row = hasHead ? text.Next() : first; row is not null; row = text.Next())
        {
            if (row.Count != columns.Count)
                throw new JepaException(
                    $"{path}: the row at line {text.Line:N0} has {row.Count} fields; the first has {columns.Count}. Quote fields that hold the "
                        + $"delimiter.", isUsage: true);
            table.Found++;
            foreach (var test in tests) test.Seen.Add(row[test.Column]);
            if (!Array.TrueForAll(tests, t => t.Condition.Holds(row[t.Column]))) continue;
            if (row[table.PathColumn].Length == 0)
                throw new JepaException($"{path}: the row at line {text.Line:N0} has no path in \"{columns[table.PathColumn]}\".", isUsage: true);
            rows.Add(row);
        }

        if (rows.Count > 0) return table;
        if (tests.Length == 0) throw new JepaException($"{path} lists no image. Expected a row an image: path[,label...].", isUsage: true);
        var found = tests.Select(t => $"\"{t.Condition.Column}\" holds {Some(t.Seen)}");
        throw new JepaException($"{path} lists no image that meets the conditions: {string.Join("; ", found)}.", isUsage: true);
    }

    private static string Some(HashSet<string> values)
    {
        const int shown = 8;
        return string.Join(", ", values.Order(StringComparer.Ordinal).Take(shown)) + (values.Count > shown ? ", ..." : "");
    }

    /// <summary>Of several columns that may hold the path the one whose name says so most plainly: "path" before "name".</summary>
    private static int PathColumnOf(List<string> columns) =>
        PathNames.Select(n => columns.FindIndex(c => c.Trim().Equals(n, StringComparison.OrdinalIgnoreCase))).FirstOrDefault(at => at >= 0, 0);

    private static bool IsImageName(string field) => FileKind.IsCalledPicture(field);

    // An image may be called anything; a head names no file.
    private static bool IsFile(string folder, string field) => field.Length > 0 && RegularFile.Exists(Path.Combine(folder, field.Replace('\\', '/')));

    // A .tsv is separated by tabs; elsewhere what the first line has: a comma before a semicolon before a tab before the space behind an image's
    // name.
    private static char DelimiterOf(string path, string head)
    {
        if (path.EndsWith(".tsv", StringComparison.OrdinalIgnoreCase)) return '\t';
        return ",;\t".FirstOrDefault(c => head.Contains(c, StringComparison.Ordinal), IsSpaced(head.Trim()) ? ' ' : ',');
    }

    private static bool IsSpaced(string line) =>
        line.LastIndexOf(' ') is > 0 and var space && !IsImageName(line) && IsImageName(line[..space].TrimEnd());

    /// <summary>The line that was looked at, then the rest.</summary>
    private sealed class HeadThenRest(string head, TextReader rest) : TextReader
    {
        private readonly string _head = head + "\n";
        private int _next;

        public override int Peek() => _next < _head.Length ? _head[_next] : rest.Peek();

        public override int Read() => _next < _head.Length ? _head[_next++] : rest.Read();
    }
}
