using System.Text;
using System.Text.Json;

namespace JepaSharp.Data.Sources.Shards;

/// <summary>The label that a WebDataset sample carries: a <c>.cls</c> text, or <c>label</c> or <c>cls</c> in a <c>.json</c> object.</summary>
internal static class SampleLabel
{
    /// <summary>No label is longer.</summary>
    public const int MostBytes = 1 << 20;

    private static readonly string[] Keys = ["label", "cls"];

    /// <summary>Whether files of an extension may carry a label.</summary>
    public static bool IsIn(string extension) => extension is "cls" or "json";

    /// <summary>The label as text, or null where there is none to be found.</summary>
    /// <param name="extension">"cls" or "json".</param>
    /// <param name="bytes">The file, UTF-8.</param>
    /// <param name="key">Which entry of a JSON object; null for label or cls.</param>
    public static string? Read(string extension, byte[] bytes, string? key)
    {
        if (extension == "cls") return key is null or "cls" ? Encoding.UTF8.GetString(bytes).Trim() is { Length: > 0 } text ? text : null : null;
        try
        {
            using var document = JsonDocument.Parse(bytes);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return null;
            foreach (var wanted in key is null ? Keys : [key])
            {
                if (!document.RootElement.TryGetProperty(wanted, out var value)) continue;
                if (value.ValueKind is JsonValueKind.String) return value.GetString();
                if (value.ValueKind is JsonValueKind.Number) return value.GetRawText();
            }
        }
        catch (JsonException)
        {
            // Counted among the images without label.
        }

        return null;
    }
}
