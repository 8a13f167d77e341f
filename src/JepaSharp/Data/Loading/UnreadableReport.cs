using System.Text;
using JepaSharp.Data.Sources;

namespace JepaSharp.Data.Loading;

/// <summary>Lists images that could not be read as a CSV: <c>name,reason</c>, for <c>unreadable.csv</c> in a run folder.</summary>
public static class UnreadableReport
{
    /// <summary>Name of the file in a run folder.</summary>
    public const string FileName = "unreadable.csv";

    /// <summary>Writes the list to a temporary name and renames it; writes nothing, and leaves no older list, where all images could be read.</summary>
    /// <param name="path">The file.</param>
    /// <param name="unreadable">The images, as <see cref="ImageLoader.Unreadable"/> has them.</param>
    public static void Write(string path, IReadOnlyList<ImageUnreadableException> unreadable)
    {
        ArgumentNullException.ThrowIfNull(unreadable);
        if (unreadable.Count == 0)
        {
            File.Delete(path);
            return;
        }

        var text = new StringBuilder("name,reason\n");
        foreach (var image in unreadable) text.Append(Quoted(image.Name)).Append(',').Append(Quoted(image.Reason)).Append('\n');
        var unfinished = path + ".unfinished";
        File.WriteAllText(unfinished, text.ToString());
        File.Move(unfinished, path, overwrite: true);
    }

    private static string Quoted(string field) =>
        field.AsSpan().IndexOfAny(",\"\r\n") < 0 ? field : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
