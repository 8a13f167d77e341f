using JepaSharp.Cli.Display;
using JepaSharp.Data.Sources;

namespace JepaSharp.Cli.Reports;

/// <summary>Says, where a command opens images, what was found there: the sum, and what is odd.</summary>
internal static class SourceNotes
{
    /// <summary>Prints the sentences.</summary>
    /// <param name="source">The images.</param>
    /// <param name="terminal">Where to.</param>
    public static void Print(ImageSource source, Terminal terminal)
    {
        foreach (var line in Of(source)) terminal.Error.WriteLine(line);
    }

    /// <summary>The sentences: the sum alone where there is nothing odd.</summary>
    /// <param name="source">The images.</param>
    public static IEnumerable<string> Of(ImageSource source)
    {
        if (source.Sum is { } sum && !source.Notices.Contains(sum)) yield return $"{source.Origin.Description}: {sum}";
        foreach (var notice in source.Notices) yield return $"note: {notice}";
    }
}
