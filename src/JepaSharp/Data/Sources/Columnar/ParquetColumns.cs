using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Parquet;
using Parquet.Schema;

namespace JepaSharp.Data.Sources.Columnar;

/// <summary>Which columns of a Parquet file hold what, by the conventions of Hugging Face's data sets.</summary>
internal static class ParquetColumns
{
    private static readonly string[] ImageNames = ["image", "img", "bytes", "jpg", "jpeg", "png", "webp"];
    private static readonly string[] LabelNames = ["label", "labels", "fine_label", "class", "cls"];
    private static readonly Type[] ScalarTypes =
        [typeof(bool), typeof(byte), typeof(sbyte), typeof(short), typeof(ushort), typeof(int), typeof(uint), typeof(long), typeof(ulong), typeof(float), typeof(double)];

    /// <summary>The bytes of the images: <c>image.bytes</c> of a struct, or a column of bytes named as an image is; null where there is neither.</summary>
    public static DataField? ImageOf(ParquetSchema schema) =>
        schema.DataFields.Where(IsBytes).FirstOrDefault(f => f.Path.Length == 2 && f.Name == "bytes")
        ?? schema.DataFields.Where(IsBytes).FirstOrDefault(f => f.Path.Length == 1 && ImageNames.Contains(f.Name.ToLowerInvariant()));

    /// <summary>Columns with one text or number a row.</summary>
    public static IReadOnlyList<DataField> ScalarsOf(ParquetSchema schema) =>
        [.. schema.DataFields.Where(f => f.Path.Length == 1 && f.MaxRepetitionLevel == 0 && !f.IsArray && (ScalarTypes.Contains(f.ClrType) || IsText(f)))];

    /// <summary>The column called as labels are; null where there is none.</summary>
    public static DataField? LabelOf(IReadOnlyList<DataField> scalars) => LabelNames.Select(n => scalars.FirstOrDefault(s => s.Name == n)).FirstOrDefault(s => s is not null);

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
    public static string?[] ReadTexts(ParquetRowGroupReader group, DataField field)
    {
        if (!IsText(field)) return Array.ConvertAll(ReadNumbers(group, field), n => double.IsNaN(n) ? null : n.ToString("R", CultureInfo.InvariantCulture));
        var texts = new string?[group.RowCount];
        Wait(group.ReadAsync(field, texts.AsMemory()!));
        return texts;
    }

    /// <summary>A column of a row group as numbers; NaN for a null.</summary>
    public static double[] ReadNumbers(ParquetRowGroupReader group, DataField field) => field.ClrType switch
    {
        var t when t == typeof(bool) => Array.ConvertAll(Read<bool>(group, field), b => b is null ? double.NaN : b.Value ? 1 : 0),
        var t when t == typeof(byte) => ToDoubles<byte>(group, field),
        var t when t == typeof(sbyte) => ToDoubles<sbyte>(group, field),
        var t when t == typeof(short) => ToDoubles<short>(group, field),
        var t when t == typeof(ushort) => ToDoubles<ushort>(group, field),
        var t when t == typeof(int) => ToDoubles<int>(group, field),
        var t when t == typeof(uint) => ToDoubles<uint>(group, field),
        var t when t == typeof(long) => ToDoubles<long>(group, field),
        var t when t == typeof(ulong) => ToDoubles<ulong>(group, field),
        var t when t == typeof(float) => ToDoubles<float>(group, field),
        _ => ToDoubles<double>(group, field),
    };

    /// <summary>The bytes of the images of a row group; null where a row has none.</summary>
    public static byte[]?[] ReadBytes(ParquetRowGroupReader group, DataField field)
    {
        var bytes = new byte[]?[group.RowCount];
        Wait(group.ReadAsync(field, bytes.AsMemory()!));
        return bytes;
    }

    /// <summary>Whether a column holds texts.</summary>
    public static bool IsText(DataField field) => field.ClrType == typeof(string) || field.ClrType == typeof(ReadOnlyMemory<char>);

    private static double[] ToDoubles<T>(ParquetRowGroupReader group, DataField field)
        where T : struct, INumber<T> => Array.ConvertAll(Read<T>(group, field), n => n is { } value ? double.CreateChecked(value) : double.NaN);

    private static T?[] Read<T>(ParquetRowGroupReader group, DataField field)
        where T : struct
    {
        if (field.IsNullable)
        {
            var nullable = new T?[group.RowCount];
            Wait(group.ReadAsync(field, nullable.AsMemory()));
            return nullable;
        }

        var values = new T[group.RowCount];
        Wait(group.ReadAsync(field, values.AsMemory()));
        return Array.ConvertAll(values, v => (T?)v);
    }

    private static bool IsBytes(DataField field) => (field.ClrType == typeof(byte[]) || field.ClrType == typeof(ReadOnlyMemory<byte>)) && field.MaxRepetitionLevel == 0;

    private static void Wait(ValueTask task) => task.AsTask().GetAwaiter().GetResult();
}
