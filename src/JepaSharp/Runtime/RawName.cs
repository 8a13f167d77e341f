using System.Globalization;
using System.Text;

namespace JepaSharp.Runtime;

/// <summary>A path as the kernel has it, bytes of any kind, kept in a text: a byte that is no UTF-8 becomes the lone surrogate U+DC00 plus its
/// value.</summary>
/// <remarks>
/// Such a text goes through <see cref="Path.Combine(string, string)"/> unharmed; files are opened by it with <c>RegularFile</c>, and it is shown with
/// <see cref="PrintableName"/>.
/// </remarks>
internal static class RawName
{
    private const char First = '\udc80', Last = '\udcff';

    /// <summary>Whether a path has bytes that are no UTF-8.</summary>
    public static bool IsRaw(string path)
    {
        for (var i = 0; i < path.Length; i++)
            if (ByteOf(path, i) is not null) return true;
        return false;
    }

    /// <summary>The byte that a character stands for; null where it is a character.</summary>
    public static byte? ByteOf(string path, int at) =>
        path[at] is >= First and <= Last && (at == 0 || !char.IsHighSurrogate(path[at - 1])) ? (byte)(path[at] - 0xdc00) : null;

    /// <summary>The text of a name.</summary>
    public static string Decode(ReadOnlySpan<byte> name)
    {
        if (System.Text.Unicode.Utf8.IsValid(name)) return Encoding.UTF8.GetString(name);
        var text = new StringBuilder(name.Length);
        Span<char> pair = stackalloc char[2];
        while (name.Length > 0)
        {
            if (Rune.DecodeFromUtf8(name, out var rune, out var used) == System.Buffers.OperationStatus.Done)
            {
                text.Append(pair[..rune.EncodeToUtf16(pair)]);
            }
            else
            {
                used = 1;
                text.Append((char)(0xdc00 + name[0]));
            }

            name = name[used..];
        }

        return text.ToString();
    }

    /// <summary>The bytes of a path, with a zero behind them as the kernel expects.</summary>
    public static byte[] Encode(string path)
    {
        var bytes = new List<byte>(path.Length + 8);
        Span<byte> buffer = stackalloc byte[4];
        for (var i = 0; i < path.Length; i++)
        {
            if (ByteOf(path, i) is { } raw)
            {
                bytes.Add(raw);
            }
            else
            {
                var isPair = char.IsHighSurrogate(path[i]) && i + 1 < path.Length && char.IsLowSurrogate(path[i + 1]);
                var rune = isPair ? new Rune(path[i], path[++i]) : Rune.TryCreate(path[i], out var single) ? single : Rune.ReplacementChar;
                bytes.AddRange(buffer[..rune.EncodeToUtf8(buffer)]);
            }
        }

        bytes.Add(0);
        return [.. bytes];
    }
}

/// <summary>Makes a name fit for a terminal, a table and a message: what moves a cursor, colours a line or turns its direction is written
/// out.</summary>
public static class PrintableName
{
    /// <summary>The name, with control characters and bytes that are no UTF-8 as <c>\n</c> and <c>\x1B</c>, and what changes lines or directions as
    /// <c>\u202E</c>.</summary>
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
        // line and paragraph separators, direction marks, a byte order mark
        '\u061c' or '\u2028' or '\u2029' or '\u200e' or '\u200f' or '\ufeff' => true,
        (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069') => true, // embeddings, overrides and isolates
        var c when char.IsHighSurrogate(c) => at + 1 == name.Length || !char.IsLowSurrogate(name[at + 1]),
        var c when char.IsLowSurrogate(c) => at == 0 || !char.IsHighSurrogate(name[at - 1]),
        _ => false,
    };
}
