using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Parquet.Schema;
using Encoding = Parquet.Meta.Encoding;

namespace JepaSharp.Data.Sources.Columnar;

/// <summary>Which columns of a Parquet file hold what, by the conventions of Hugging Face's data sets.</summary>
internal static class ParquetColumns
{
    private static readonly string[] LabelNames = ["label", "labels", "fine_label", "class", "cls"];
    private static readonly Type[] ScalarTypes =
        [typeof(bool), typeof(byte), typeof(sbyte), typeof(short), typeof(ushort), typeof(int), typeof(uint), typeof(long), typeof(ulong),
            typeof(float), typeof(double)];

    /// <summary>Columns with one text or number a row.</summary>
    public static IReadOnlyList<DataField> ScalarsOf(ParquetSchema schema) =>
        [.. schema.DataFields.Where(
            f => f.Path.Length == 1 && f.MaxRepetitionLevel == 0 && !f.IsArray && (ScalarTypes.Contains(f.ClrType) || IsText(f)))];

    /// <summary>The columns called as labels are, the one to take first; empty where there is none.</summary>
    public static IReadOnlyList<DataField> LabelsOf(IReadOnlyList<DataField> scalars) =>
        [.. LabelNames.Select(n => scalars.FirstOrDefault(s => s.Name == n)).OfType<DataField>()];

    /// <summary>Class names of a column from the metadata that Hugging Face writes; null where there are none.</summary>
    public static IReadOnlyList<string>? ClassNames(IReadOnlyDictionary<string, string> metadata, string column)
    {
        if (!metadata.TryGetValue("huggingface", out var json)) return null;
        try
        {
            using var document = JsonDocument.Parse(json);
            var names = document.RootElement.GetProperty("info").GetProperty("features").GetProperty(column).GetProperty("names");
            return [.. names.EnumerateArray().Select(n => n.GetString() ?? "")];
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null; // Other metadata than expected is no metadata.
        }
    }

    /// <summary>A column of a row group as texts; null for a null.</summary>
    public static string?[] ReadTexts(ParquetChunk chunk) => chunk.Field.ClrType switch
    {
        _ when IsText(chunk.Field) => ReadStrings(chunk),
        var t when t == typeof(bool) => chunk.Read<bool, string?>(b => b ? "1" : "0", null),
        var t when t == typeof(byte) => Texts<byte>(chunk),
        var t when t == typeof(sbyte) => Texts<sbyte>(chunk),
        var t when t == typeof(short) => Texts<short>(chunk),
        var t when t == typeof(ushort) => Texts<ushort>(chunk),
        var t when t == typeof(int) => Texts<int>(chunk),
        var t when t == typeof(uint) => Texts<uint>(chunk),
        var t when t == typeof(long) => Texts<long>(chunk),
        var t when t == typeof(ulong) => Texts<ulong>(chunk),
        _ => Array.ConvertAll(ReadNumbers(chunk), n => double.IsNaN(n) ? null : n.ToString("R", CultureInfo.InvariantCulture)),
    };

    /// <summary>A column of a row group as numbers; NaN for a null.</summary>
    public static double[] ReadNumbers(ParquetChunk chunk) => chunk.Field.ClrType switch
    {
        var t when t == typeof(bool) => chunk.Read<bool, double>(b => b ? 1 : 0, double.NaN),
        var t when t == typeof(byte) => Numbers<byte>(chunk),
        var t when t == typeof(sbyte) => Numbers<sbyte>(chunk),
        var t when t == typeof(short) => Numbers<short>(chunk),
        var t when t == typeof(ushort) => Numbers<ushort>(chunk),
        var t when t == typeof(int) => Numbers<int>(chunk),
        var t when t == typeof(uint) => Numbers<uint>(chunk),
        var t when t == typeof(long) => Numbers<long>(chunk),
        var t when t == typeof(ulong) => Numbers<ulong>(chunk),
        var t when t == typeof(float) => Numbers<float>(chunk),
        _ => Numbers<double>(chunk),
    };

    /// <summary>The bytes of the images of a row group; null where a row has none.</summary>
    public static byte[]?[] ReadBytes(ParquetChunk chunk) => chunk.Read<ReadOnlyMemory<byte>, byte[]?>(BytesOf, null);

    /// <summary>Whether a column holds texts.</summary>
    public static bool IsText(DataField field) => field.ClrType == typeof(string) || field.ClrType == typeof(ReadOnlyMemory<char>);

    /// <summary>Texts whose beginnings are left out where they are as in the row before are read rightly only in ASCII.</summary>
    private static string?[] ReadStrings(ParquetChunk chunk)
    {
        var texts = chunk.Read<ReadOnlyMemory<char>, string?>(t => new string(t.Span), null);
        return chunk.Pages.Encodings.Contains(Encoding.DELTA_BYTE_ARRAY) && Array.Exists(texts, t => t is not null && !Ascii.IsValid(t))
            ? throw new InvalidDataException("Its texts are stored as DELTA_BYTE_ARRAY and are not all ASCII, which is not read; write them in "
                + "another encoding.")
            : texts;
    }

    private static string?[] Texts<T>(ParquetChunk chunk)
        where T : struct, IFormattable => chunk.Read<T, string?>(n => n.ToString(null, CultureInfo.InvariantCulture), null);

    private static double[] Numbers<T>(ParquetChunk chunk)
        where T : struct, INumber<T> => chunk.Read<T, double>(double.CreateChecked, double.NaN);

    /// <summary>The library makes an array of its own for each value, which needs no copy.</summary>
    private static byte[] BytesOf(ReadOnlyMemory<byte> value) =>
        MemoryMarshal.TryGetArray(value, out var segment) && segment.Array is { } array && segment.Offset == 0 && segment.Count == array.Length
            ? array : value.ToArray();
}
