using System.Text.Json;
using JepaSharp.Runtime;
using Parquet.Schema;

namespace JepaSharp.Data.Sources.Columnar;

/// <summary>Which column of a Parquet file holds the images: a struct with <c>bytes</c>, as Hugging Face stores them, or a column of bytes.</summary>
internal static class ParquetImageColumns
{
    private const string Inner = "bytes";
    private static readonly string[] UsualNames = ["image", "img", "bytes", "jpg", "jpeg", "png", "webp"];
    private static readonly string[] OtherMedia = ["Audio", "Video", "Pdf"];

    /// <summary>What a column of images is called: that of the struct, not of the bytes in it.</summary>
    public static string NameOf(DataField bytes) => string.Join('.', PartsOf(bytes));

    /// <summary>The columns that hold images, by the file's own words where it says what they are; the one to take first.</summary>
    public static IReadOnlyList<DataField> Of(ParquetSchema schema, IReadOnlyDictionary<string, string> metadata) =>
        [.. Bytes(schema).Where(f => IsStruct(f) || IsUsual(f)).Where(f => !OtherMedia.Contains(KindOf(metadata, NameOf(f)))).OrderBy(Rank)];

    /// <summary>The column of images to read.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="schema">Its columns.</param>
    /// <param name="metadata">Its metadata.</param>
    /// <param name="asked">Name of the column, where it was asked for or another file of the set has it; else null.</param>
    /// <exception cref="JepaException">There is none, or it cannot be told which is meant.</exception>
    public static DataField Choose(string path, ParquetSchema schema, IReadOnlyDictionary<string, string> metadata, string? asked)
    {
        if (asked is not null)
        {
            return Bytes(schema).FirstOrDefault(f => NameOf(f) == asked) ?? throw new JepaException(
                $"{path} has no column of images \"{asked}\". {Holding(path, schema)}", isUsage: true);
        }

        var found = Of(schema, metadata);
        if (found.Count == 0)
            throw new JepaException($"{path} has no column of images. Expected a struct with bytes and path, as Hugging Face stores images. "
                + $"{Holding(path, schema)}", isUsage: true);
        if (found.Count > 1 && !IsUsual(found[0]))
        {
            throw new JepaException(
                $"{path} has {found.Count} columns of images, {Names(found)}, and none has a usual name: say which is meant with "
                    + $"'#image={NameOf(found[0])}' behind the path.", isUsage: true);
        }

        return found[0];
    }

    /// <summary>Names in a row, for a sentence.</summary>
    public static string Names(IEnumerable<DataField> fields) => string.Join(" and ", fields.Select(NameOf).Order(StringComparer.Ordinal));

    private static IEnumerable<DataField> Bytes(ParquetSchema schema) =>
        schema.DataFields.Where(f => (f.ClrType == typeof(byte[]) || f.ClrType == typeof(ReadOnlyMemory<byte>)) && f.MaxRepetitionLevel == 0
            && !f.IsArray);

    private static bool IsStruct(DataField field) => field.Path.Length > 1 && field.Name == Inner;

    private static string[] PartsOf(DataField field)
    {
        string[] parts = [.. field.Path.ToList()];
        return IsStruct(field) ? parts[..^1] : parts;
    }

    private static bool IsUsual(DataField field) => Rank(field) < UsualNames.Length;

    private static int Rank(DataField field)
    {
        var at = Array.IndexOf(UsualNames, PartsOf(field)[^1].ToLowerInvariant());
        return at < 0 ? UsualNames.Length : at;
    }

    private static string Holding(string path, ParquetSchema schema)
    {
        string[] bytes = [.. Bytes(schema).Select(NameOf)];
        var lists = schema.DataFields.Any(f => f.ClrType == typeof(byte[]) && f.MaxRepetitionLevel > 0) ? " Lists of images in a row are not read."
            : "";
        return bytes.Length > 0
            ? $"Its columns of bytes are {string.Join(", ", bytes)}; one of them is taken with '#image={bytes[0]}' behind the path.{lists}"
            : $"{Path.GetFileName(path)} has the columns {string.Join(", ", schema.Fields.Select(f => f.Name))}.{lists}";
    }

    /// <summary>What Hugging Face's metadata calls a column: "Image", "Audio" and so on; null where it says nothing.</summary>
    private static string? KindOf(IReadOnlyDictionary<string, string> metadata, string column)
    {
        if (!metadata.TryGetValue("huggingface", out var json)) return null;
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.GetProperty("info").GetProperty("features").GetProperty(column).GetProperty("_type").GetString();
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }
}
