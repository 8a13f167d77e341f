using System.Globalization;
using JepaSharp.Data.Sources.Lists;

namespace JepaSharp.Evaluation.Embeddings.Readers;

/// <summary>Reads a text of name, label, class, then a column for each number.</summary>
internal static class CsvReading
{
    private const int Named = 3;

    public static StoredEmbeddings Read(string path)
    {
        using var text = EmbeddingRows.OpenText(path);
        var table = new DelimitedText(text, ',', path);
        var head = table.Next();
        if (head is not ["name", "label", "class", _, ..]) throw new InvalidDataException("it does not begin with name,label,class,f0");
        if (head[Named] == "patch") throw EmbeddingRows.OfPatches(path);
        var width = head.Count - Named;
        var (rows, values) = (new EmbeddingRows(), new List<float>());
        while (table.Next() is { } row)
        {
            if (row.Count != head.Count) throw new InvalidDataException($"line {table.Line:N0} has {row.Count:N0} fields; expected {head.Count:N0}");
            rows.Add(row[0], row[2]);
            foreach (var field in row.Skip(Named))
                values.Add(float.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                    ? value : throw new InvalidDataException($"line {table.Line:N0} has '{field}' where a number is expected"));
        }

        return rows.With(path, width, [.. values]);
    }
}
