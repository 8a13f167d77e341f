using System.Globalization;
using System.Text;

namespace JepaSharp.Evaluation.Embeddings.Writers;

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
