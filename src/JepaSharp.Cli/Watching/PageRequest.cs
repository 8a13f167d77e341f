using System.Net.Sockets;
using System.Text;

namespace JepaSharp.Cli.Watching;

/// <summary>What a browser asks for.</summary>
/// <param name="Method">GET, HEAD, ...</param>
/// <param name="Path">Behind the address, before a question mark, as it was sent.</param>
/// <param name="Query">Names and values behind the question mark, decoded.</param>
/// <param name="Headers">By lower-case name.</param>
internal sealed record PageRequest(
    string Method, string Path, IReadOnlyList<(string Name, string Value)> Query, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>Bytes of a request's head, at most.</summary>
    public const int MostBytes = 16 << 10;

    /// <summary>Reads a head, and nothing behind it.</summary>
    /// <returns>The request; null where what came is none.</returns>
    public static async Task<PageRequest?> ReadAsync(NetworkStream stream, CancellationToken cancellation)
    {
        var (buffer, count) = (new byte[MostBytes], 0);
        while (true)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(count), cancellation).ConfigureAwait(false);
            if (read == 0) return null;
            count += read;
            var end = buffer.AsSpan(0, count).IndexOf("\r\n\r\n"u8);
            if (end >= 0) return Parse(Encoding.Latin1.GetString(buffer, 0, end));
            if (count == buffer.Length) return null;
        }
    }

    /// <summary>Of a head without its empty line; null where it is none.</summary>
    internal static PageRequest? Parse(string head)
    {
        var lines = head.Split("\r\n");
        if (lines[0].Split(' ') is not [var method, ['/', ..] target, "HTTP/1.1" or "HTTP/1.0"]) return null;
        var headers = new Dictionary<string, string>();
        foreach (var line in lines.Skip(1))
        {
            if (line.Split(':', 2) is not [{ Length: > 0 } name, var value] || name.Contains(' ')) return null;
            headers[name.ToLowerInvariant()] = value.Trim();
        }

        var parts = target.Split('?', 2);
        return new PageRequest(method, parts[0], parts.Length == 1 ? [] : [.. parts[1].Split('&').Select(Pair)], headers);
    }

    private static (string, string) Pair(string text)
    {
        var parts = text.Split('=', 2);
        string Decoded(string part) => Uri.UnescapeDataString(part.Replace('+', ' '));
        return (Decoded(parts[0]), parts.Length == 2 ? Decoded(parts[1]) : "");
    }
}

/// <summary>What it is answered with.</summary>
/// <param name="Status">200, 404, ...</param>
/// <param name="Reason">The same in words.</param>
/// <param name="Body">HTML or a sentence.</param>
/// <param name="Type">What the body is.</param>
/// <param name="Tag">What tells this state of a page from others; null where there is none.</param>
internal sealed record PageAnswer(int Status, string Reason, string Body, string Type = "text/plain; charset=utf-8", string? Tag = null)
{
    /// <summary>A page.</summary>
    public static PageAnswer Page(string html, string tag) => new(200, "OK", html, "text/html; charset=utf-8", tag);

    /// <summary>Nothing has changed since the browser last asked.</summary>
    public static PageAnswer Unchanged(string tag) => new(304, "Not Modified", "", Tag: tag);

    /// <summary>There is no such page.</summary>
    public static PageAnswer Missing(string sentence) => new(404, "Not Found", sentence + "\n");
}
