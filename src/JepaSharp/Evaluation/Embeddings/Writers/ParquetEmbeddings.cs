using Parquet;
using Parquet.Schema;

namespace JepaSharp.Evaluation.Embeddings.Writers;

/// <summary>Parquet: columns name, label, class[, patch] and <c>features</c>, a list of floats. Rows are gathered into groups.</summary>
/// <remarks>A file of Parquet ends with its table of contents, so each flush closes it properly, and writing goes on in its place.</remarks>
internal sealed class ParquetEmbeddings : EmbeddingWriter
{
    private const int RowGroupNumbers = 1 << 22;

    private readonly string _path;
    private readonly EmbeddingLayout _layout;
    private readonly ParquetSchema _schema;
    private readonly IReadOnlyDictionary<string, string> _facts;
    private readonly List<float> _values = [];
    private readonly List<EmbeddedImage> _images = [];
    private FileStream _stream;
    private ParquetWriter? _writer;
    private bool _begun;

    public ParquetEmbeddings(string path, EmbeddingLayout layout, IReadOnlyDictionary<string, string> facts, long from)
    {
        (_path, _layout, _facts, _begun) = (path, layout, facts, from > 0);
        List<Field> fields = [new DataField<string>("name", false), new DataField<int?>("label"), new DataField<string>("class", true)];
        if (layout.Patches is not null) fields.Add(new DataField<int>("patch"));
        fields.Add(new ListField("features", new DataField<float>("element")));
        _schema = new ParquetSchema(fields);
        _stream = OpenAt(path, from);
    }

    public override void Write(ReadOnlyMemory<float> values, IReadOnlyList<EmbeddedImage> images)
    {
        _values.AddRange(values.Span);
        _images.AddRange(images);
        if (_values.Count >= RowGroupNumbers) WriteGroup();
    }

    public override long Flush()
    {
        if (_images.Count > 0 || !_begun) WriteGroup();
        CloseContents();
        _stream.Flush(flushToDisk: true);
        return _stream.Length;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            CloseContents();
            _stream.Dispose();
        }

        base.Dispose(disposing);
    }

    private void CloseContents()
    {
        if (_writer is null) return;
        Wait(_writer.DisposeAsync());
        _writer = null;
        // The library may close the stream with the writer.
        if (!_stream.CanWrite) _stream = new FileStream(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
    }

    private void WriteGroup()
    {
        if (_writer is null)
        {
            _writer = ParquetWriter.CreateAsync(_schema, _stream, new ParquetOptions(), append: _begun).GetAwaiter().GetResult();
            _writer.CustomMetadata = _facts.ToDictionary();
            _begun = true;
        }

        using (var group = _writer.CreateRowGroup()) WriteColumns(group);
        _values.Clear();
        _images.Clear();
    }

    private void WriteColumns(ParquetRowGroupWriter group)
    {
        var (vectors, rows) = (_layout.Vectors, _images.Count * _layout.Vectors);
        T[] Column<T>(Func<EmbeddedImage, T> of) => [.. _images.SelectMany(image => Enumerable.Repeat(of(image), vectors))];
        var fields = _schema.DataFields;
        Wait(group.WriteAsync(fields[0], Column(image => image.Name)));
        Wait(group.WriteAsync<int>(fields[1], Column(image => image.Label).AsMemory()));
        Wait(group.WriteAsync(fields[2], Column(image => image.Class!)));
        if (_layout.Patches is not null)
            Wait(group.WriteAsync<int>(fields[3], Enumerable.Range(0, rows).Select(row => row % vectors).ToArray().AsMemory()));

        // A list is flattened: level 0 marks the first number of each row, and every number is there in full.
        var repetition = new int[_values.Count];
        for (var i = 0; i < repetition.Length; i++) repetition[i] = i % _layout.Width == 0 ? 0 : 1;
        var definition = new int[_values.Count];
        Array.Fill(definition, fields[^1].MaxDefinitionLevel);
        Wait(group.WriteAllPartsAsync<float>(fields[^1], _values.ToArray().AsMemory(), definition.AsMemory(), repetition.AsMemory(), default));
    }

    private static void Wait(Task task) => task.GetAwaiter().GetResult();

    private static void Wait(ValueTask task) => task.AsTask().GetAwaiter().GetResult();
}
