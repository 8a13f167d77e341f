namespace JepaSharp.Runtime;

/// <summary>Reads a text that somebody may be writing meanwhile: on Windows it has to be opened so that it may.</summary>
internal static class GrowingText
{
    /// <summary>Its lines, one at a time.</summary>
    /// <exception cref="IOException">It is not there, or cannot be read.</exception>
    public static IEnumerable<string> Lines(string path)
    {
        using var reader = new StreamReader(
            new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16));
        while (reader.ReadLine() is { } line) yield return line;
    }
}
