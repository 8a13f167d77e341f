using System.Text;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Lists;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Embeddings.Readers;

/// <summary>Which image each row is of.</summary>
internal sealed class EmbeddingRows
{
    /// <summary>Names of the images.</summary>
    public List<string> Names { get; } = [];

    /// <summary>Names of their classes; null without one.</summary>
    public List<string?> Classes { get; } = [];

    /// <summary>Adds a row.</summary>
    public void Add(string name, string? className)
    {
        Names.Add(name);
        Classes.Add(string.IsNullOrEmpty(className) ? null : className);
    }

    /// <summary>With the numbers.</summary>
    /// <exception cref="InvalidDataException">There are no rows.</exception>
    public StoredEmbeddings With(string path, int width, float[] values, IReadOnlyDictionary<string, string>? facts = null) => Names.Count > 0
        ? new StoredEmbeddings(path, new FeatureMatrix(Names.Count, width, values), Names, Classes, facts ?? new Dictionary<string, string>())
        : throw new InvalidDataException("it holds no images");

    /// <summary>Those of the side file of a format that holds numbers alone: row, name, label, class.</summary>
    /// <param name="path">The file of numbers.</param>
    /// <param name="rows">How many rows it has.</param>
    /// <exception cref="JepaException">There is no side file, or it names other rows.</exception>
    public static EmbeddingRows Beside(string path, long rows)
    {
        var index = Path.ChangeExtension(path, ".index.csv");
        if (!File.Exists(index))
            throw new JepaException(
                $"{path} holds numbers alone, and {index}, which names its rows, {Absence.Of(index)}. Put it beside it again, or write .parquet, "
                    + "which names its rows itself.", isUsage: true);
        var found = new EmbeddingRows();
        using var text = OpenText(index);
        var table = new DelimitedText(text, ',', index);
        if (table.Next() is not ["row", "name", "label", "class"])
            throw new JepaException($"{index} does not begin with row,name,label,class. Write both files again with 'jepa embed'.", isUsage: true);
        while (table.Next() is { } row)
        {
            if (row is not [var number, var name, _, var className] || number != FormattableString.Invariant($"{found.Names.Count}"))
                throw new JepaException(
                    $"{index}: line {table.Line:N0} is not of row {found.Names.Count:N0}. Write both files again with 'jepa embed'.", isUsage: true);
            found.Add(name, className);
        }

        return found.Names.Count == rows ? found : throw new JepaException(
            $"{index} names {found.Names.Count:N0} rows and {path} has {rows:N0}: they do not belong together. Write both again with 'jepa embed'.",
            isUsage: true);
    }

    /// <summary>A text of lines that each have an end: a last one without is cut short, perhaps within a number or a name.</summary>
    /// <exception cref="InvalidDataException">The last line has no end.</exception>
    public static StreamReader OpenText(string path)
    {
        var stream = RegularFile.OpenRead(path);
        stream.Position = Math.Max(0, stream.Length - 1);
        if (stream.ReadByte() != '\n')
        {
            stream.Dispose();
            throw new InvalidDataException($"the last line of {path} has no end: it is cut short");
        }

        stream.Position = 0;
        return new StreamReader(stream, Encoding.UTF8);
    }

    /// <summary>Refuses a shape that is not [n, D].</summary>
    /// <exception cref="JepaException">It has a vector for each patch.</exception>
    /// <exception cref="InvalidDataException">It is of other dimensions or more than fits into memory.</exception>
    public static (int Rows, int Width) Require(string path, IReadOnlyList<long> shape)
    {
        if (shape.Count == 3) throw OfPatches(path);
        if (shape is not [> 0 and <= int.MaxValue and var rows, > 0 and <= int.MaxValue and var width])
            throw new InvalidDataException($"its numbers have the shape [{string.Join(", ", shape)}]; expected [images, numbers]");
        return rows * width <= Array.MaxLength
            ? ((int)rows, (int)width)
            : throw new InvalidDataException($"its {rows:N0} x {width:N0} numbers are more than the {Array.MaxLength:N0} that can be searched");
    }

    /// <summary>What is said of a file with a vector for each patch.</summary>
    public static JepaException OfPatches(string path) =>
        new($"{path} has a vector for each patch. Expected one an image: embed with another --pool than none.", isUsage: true);
}
