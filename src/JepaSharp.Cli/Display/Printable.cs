using JepaSharp.Runtime;

namespace JepaSharp.Cli.Display;

/// <summary>Text from elsewhere, names above all, in a form that a terminal shows and does not obey.</summary>
/// <remarks>
/// Escape sequences would move the cursor, colour or retitle the window, line breaks would look like lines of ours, and marks of direction show a name
/// other than it is. Files keep names as they are; only what people read goes through here.
/// </remarks>
internal static class Printable
{
    /// <summary>The text with every control character written out: see <see cref="PrintableName"/>.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="keepLines">Whether line feeds stay.</param>
    public static string Of(string text, bool keepLines = false) =>
        keepLines && text.Contains('\n', StringComparison.Ordinal) ? string.Join('\n', text.Split('\n').Select(PrintableName.Of)) : PrintableName.Of(text);
}
