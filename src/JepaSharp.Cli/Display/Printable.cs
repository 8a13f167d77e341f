using System.Buffers;
using System.Globalization;
using System.Text;

namespace JepaSharp.Cli.Display;

/// <summary>Text from elsewhere, names above all, in a form that a terminal shows and does not obey.</summary>
/// <remarks>
/// Escape sequences would move the cursor, colour or retitle the window, line breaks would look like lines of ours, and marks of direction show a name
/// other than it is. Files keep names as they are; only what people read goes through here.
/// </remarks>
internal static class Printable
{
    // C0 and C1 controls, the soft line ends, and what turns the direction of writing round.
    private static readonly SearchValues<char> Odd = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Append(0x7f).Concat(Enumerable.Range(0x80, 0x20)).Concat([0x061c, 0x200e, 0x200f, 0x2028, 0x2029, 0xfeff])
            .Concat(Enumerable.Range(0x202a, 5)).Concat(Enumerable.Range(0x2066, 4)).Select(c => (char)c)]);

    /// <summary>The text with every control character written as <c>\n</c>, <c>\t</c> or <c>\u001b</c>.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="keepLines">Whether line feeds stay.</param>
    public static string Of(string text, bool keepLines = false)
    {
        if (text.AsSpan().IndexOfAny(Odd) < 0) return text;
        var shown = new StringBuilder(text.Length + 16);
        foreach (var c in text) _ = Odd.Contains(c) && !(keepLines && c == '\n') ? shown.Append(Escaped(c)) : shown.Append(c);
        return shown.ToString();
    }

    private static string Escaped(char c) => c switch
    {
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        _ => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
    };
}
