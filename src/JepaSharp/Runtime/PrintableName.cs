using System.Globalization;
using System.Text;

namespace JepaSharp.Runtime;

/// <summary>Makes a name fit for a terminal, a table and a message: what moves a cursor, colours a line or turns its direction is written out.</summary>
public static class PrintableName
{
    /// <summary>The name, with control characters and bytes that are no UTF-8 as <c>\n</c> and <c>\x1B</c>, and what changes lines or directions as <c>\u202E</c>.</summary>
    /// <param name="name">A name of a file, a folder, an entry or a class.</param>
    /// <returns>The same text where there is nothing to write out, as of nearly all.</returns>
    public static string Of(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var at = 0;
        while (at < name.Length && !IsWrittenOut(name, at)) at++;
        if (at == name.Length) return name;
        var text = new StringBuilder(name.Length + 16).Append(name, 0, at);
        for (; at < name.Length; at++)
        {
            if (!IsWrittenOut(name, at)) text.Append(name[at]);
            else if (RawName.ByteOf(name, at) is { } raw) text.Append(CultureInfo.InvariantCulture, $"\\x{raw:X2}");
            else if (name[at] is '\n' or '\r' or '\t') text.Append(name[at] switch { '\n' => "\\n", '\r' => "\\r", _ => "\\t" });
            else if (name[at] < 0x80) text.Append(CultureInfo.InvariantCulture, $"\\x{(int)name[at]:X2}");
            else text.Append(CultureInfo.InvariantCulture, $"\\u{(int)name[at]:X4}");
        }

        return text.ToString();
    }

    private static bool IsWrittenOut(string name, int at) => name[at] switch
    {
        >= ' ' and <= '~' => false,
        var c when char.IsControl(c) => true,
        '\u061c' or '\u2028' or '\u2029' or '\u200e' or '\u200f' or '\ufeff' => true, // line and paragraph separators, direction marks, a byte order mark
        (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069') => true, // embeddings, overrides and isolates
        var c when char.IsHighSurrogate(c) => at + 1 == name.Length || !char.IsLowSurrogate(name[at + 1]),
        var c when char.IsLowSurrogate(c) => at == 0 || !char.IsHighSurrogate(name[at - 1]),
        _ => false,
    };
}
