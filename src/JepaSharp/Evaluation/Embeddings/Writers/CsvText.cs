using System.Globalization;

namespace JepaSharp.Evaluation.Embeddings.Writers;

/// <summary>Text with commas between fields (RFC 4180): a field with a comma, a quote or an end of line in it is quoted.</summary>
internal static class CsvText
{
    public static string Field(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>"name,label,class", the last two empty without labels.</summary>
    public static string Of(EmbeddedImage image) =>
        $"{Field(image.Name)},{image.Label?.ToString(CultureInfo.InvariantCulture)},{(image.Class is null ? "" : Field(image.Class))}";
}
