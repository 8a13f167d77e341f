using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace JepaSharp.Configuration.Yaml;

/// <summary>Text as a YAML scalar that any reader takes for that text: plain where it is surely harmless, else in double quotes.</summary>
internal static partial class YamlText
{
    public static string Write(string text)
    {
        if (Harmless().IsMatch(text) && !MeansMore(text)) return text;
        var quoted = new StringBuilder("\"", text.Length + 8);
        foreach (var character in text)
        {
            _ = character switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append(@"\\"),
                '\n' => quoted.Append("\\n"),
                '\r' => quoted.Append("\\r"),
                '\t' => quoted.Append("\\t"),
                _ when NeedsCode(character) => quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:X4}"),
                _ => quoted.Append(character),
            };
        }
        return quoted.Append('"').ToString();
    }

    private static bool MeansMore(string text) =>
        text.ToLowerInvariant() is "null" or "true" or "false" or "yes" or "no" or "on" or "off" or "y" or "n";

    // Control characters, the line breaks that only YAML 1.1 knows, and the byte order mark.
    private static bool NeedsCode(char character) =>
        char.IsControl(character) || character is '\u2028' or '\u2029' or '\uFEFF' or '\uFFFE' or '\uFFFF';

    [GeneratedRegex(@"^[A-Za-z_/][A-Za-z0-9_/.-]*\z")]
    private static partial Regex Harmless();
}
