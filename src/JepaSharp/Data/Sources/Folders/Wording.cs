using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Folders;

/// <summary>How numbers of things and lists of names stand in a sentence.</summary>
internal static class Wording
{
    private const int Shown = 8;

    /// <summary>"1 file", "2,000 files".</summary>
    public static string Counted(int count, string one, string several) => $"{count:N0} {(count == 1 ? one : several)}";

    /// <summary>Names fit to print, the first of them where there are many.</summary>
    public static string List(IReadOnlyList<string> names, int shown = Shown) =>
        string.Join(", ", names.Take(shown).Select(PrintableName.Of)) + (names.Count > shown ? ", ..." : "");
}
