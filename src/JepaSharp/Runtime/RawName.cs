using System.Text;

namespace JepaSharp.Runtime;

/// <summary>A path as the kernel has it, bytes of any kind, kept in a text: a byte that is no UTF-8 becomes the lone surrogate U+DC00 plus its value.</summary>
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
