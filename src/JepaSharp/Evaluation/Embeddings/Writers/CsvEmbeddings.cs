using System.Globalization;
using System.Text;

namespace JepaSharp.Evaluation.Embeddings.Writers;

/// <summary>A line for each image, or for each of its patches: name, label, class[, patch], then the numbers, shortest digits that read back the
/// same.</summary>
internal sealed class CsvEmbeddings : EmbeddingWriter
{
    private readonly FileStream _stream;
    private readonly StreamWriter _text;
    private readonly EmbeddingLayout _layout;

    public CsvEmbeddings(string path, EmbeddingLayout layout, long from)
    {
        _layout = layout;
        _stream = OpenAt(path, from);
        _text = new StreamWriter(_stream, new UTF8Encoding(false), 1 << 16) { NewLine = "\n" };
        if (from > 0) return;
        _text.Write(layout.Patches is null ? "name,label,class" : "name,label,class,patch");
        for (var i = 0; i < layout.Width; i++) _text.Write(string.Create(CultureInfo.InvariantCulture, $",f{i}"));
        _text.WriteLine();
    }

    public override void Write(ReadOnlyMemory<float> values, IReadOnlyList<EmbeddedImage> images)
    {
        Span<char> digits = stackalloc char[32];
        var at = 0;
        foreach (var image in images)
        {
            var start = CsvText.Of(image);
            for (var patch = 0; patch < _layout.Vectors; patch++)
            {
                _text.Write(start);
                if (_layout.Patches is not null) _text.Write(string.Create(CultureInfo.InvariantCulture, $",{patch}"));
                foreach (var value in values.Span.Slice(at, _layout.Width))
                {
                    _text.Write(',');
                    _ = value.TryFormat(digits, out var length, provider: CultureInfo.InvariantCulture);
                    _text.Write(digits[..length]);
                }

                _text.WriteLine();
                at += _layout.Width;
            }
        }
    }

    public override long Flush()
    {
        _text.Flush();
        _stream.Flush(flushToDisk: true);
        return _stream.Position;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _text.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>Text with commas between fields (RFC 4180): a field with a comma, a quote or an end of line in it is quoted.</summary>
internal static class CsvText
{
    public static string Field(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>"name,label,class", the last two empty without labels.</summary>
    public static string Of(EmbeddedImage image) =>
        $"{Field(image.Name)},{image.Label?.ToString(CultureInfo.InvariantCulture)},{(image.Class is null ? "" : Field(image.Class))}";
}

/// <summary>The side file of formats that hold numbers alone: which image each row is of. row, name, label, class.</summary>
internal sealed class IndexCsv : IDisposable
{
    private readonly FileStream _stream;
    private readonly StreamWriter _text;
    private long _row;

    /// <param name="path">The unfinished file.</param>
    /// <param name="from">Length to go on at; 0 for a new file.</param>
    /// <param name="firstRow">Number of the next row.</param>
    public IndexCsv(string path, long from, long firstRow)
    {
        _row = firstRow;
        _stream = EmbeddingWriter.OpenAt(path, from);
        _text = new StreamWriter(_stream, new UTF8Encoding(false)) { NewLine = "\n" };
        if (from == 0) _text.WriteLine("row,name,label,class");
    }

    public void Write(IEnumerable<EmbeddedImage> images)
    {
        foreach (var image in images) _text.WriteLine($"{_row++.ToString(CultureInfo.InvariantCulture)},{CsvText.Of(image)}");
    }

    /// <summary>Brings everything to disk.</summary>
    /// <returns>The file's length.</returns>
    public long Flush()
    {
        _text.Flush();
        _stream.Flush(flushToDisk: true);
        return _stream.Position;
    }

    public void Dispose() => _text.Dispose();
}
