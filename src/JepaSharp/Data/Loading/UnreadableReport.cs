using System.Text;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Lists;

namespace JepaSharp.Data.Loading;

/// <summary>Lists images that could not be read as a CSV: <c>name,reason</c>, for <c>unreadable.csv</c> in a run folder.</summary>
public static class UnreadableReport
{
    /// <summary>Name of the file in a run folder.</summary>
    public const string FileName = "unreadable.csv";

    private const string Head = "name,reason\n";

    /// <summary>Writes the list to a temporary name and renames it; writes nothing, and leaves no older list, where all images could be
    /// read.</summary>
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

        var text = new StringBuilder(Head);
        foreach (var image in unreadable) text.Append(Quoted(image.Name)).Append(',').Append(Quoted(image.Reason)).Append('\n');
        var unfinished = path + ".unfinished";
        File.WriteAllText(unfinished, text.ToString());
        File.Move(unfinished, path, overwrite: true);
    }

    /// <summary>Reads a list; nothing where there is none.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="Runtime.JepaException">It is no such list.</exception>
    public static IReadOnlyList<ImageUnreadableException> Read(string path)
    {
        if (!File.Exists(path)) return [];
        using var text = new StreamReader(path);
        var rows = new DelimitedText(text, ',', path);
        var images = new List<ImageUnreadableException>();
        _ = rows.Next(); // the head
        while (rows.Next() is { } row)
            if (row is [var name, var reason]) images.Add(new ImageUnreadableException(name, reason));
        return images;
    }

    /// <summary>Those of an earlier list, and those of a later one that it lacks: a run that was resumed meets some images again, and not
    /// others.</summary>
    /// <param name="earlier">As <see cref="Read"/> gives it.</param>
    /// <param name="later">What was met since.</param>
    public static IReadOnlyList<ImageUnreadableException> Joined(
        IReadOnlyList<ImageUnreadableException> earlier, IReadOnlyList<ImageUnreadableException> later) =>
        [.. earlier.Concat(later).DistinctBy(image => image.Name, StringComparer.Ordinal)];

    private static string Quoted(string field) =>
        field.AsSpan().IndexOfAny(",\"\r\n") < 0 ? field : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
