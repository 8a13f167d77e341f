using System.Globalization;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Folders;

/// <summary>Names as they are shown: fit to print, and still each of its own.</summary>
internal static class UniqueNames
{
    /// <summary>One for each name, which are distinct themselves.</summary>
    public static string[] Of(IReadOnlyList<string> names)
    {
        string[] shown = [.. names.Select(PrintableName.Of)];
        if (!shown.Where((s, i) => !ReferenceEquals(s, names[i])).Any()) return shown;
        var taken = new HashSet<string>(names, StringComparer.Ordinal);
        for (var i = 0; i < shown.Length; i++)
        {
            if (ReferenceEquals(shown[i], names[i])) continue;
            var wanted = shown[i];
            for (var number = 2; !taken.Add(shown[i]); number++) shown[i] = string.Create(CultureInfo.InvariantCulture, $"{wanted} ({number})");
        }

        return shown;
    }
}
