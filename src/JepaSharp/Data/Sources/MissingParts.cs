using System.Globalization;
using System.Text.RegularExpressions;

namespace JepaSharp.Data.Sources;

/// <summary>Files whose names say that there are more of them: <c>train-00001-of-00005.parquet</c>.</summary>
internal static partial class MissingParts
{
    private const int Shown = 3, MostParts = 1_000_000;

    /// <summary>A sentence for each set of numbered files of which some are not there.</summary>
    public static IEnumerable<string> Notices(IEnumerable<string> paths)
    {
        var numbered = paths.Select(p => Numbered().Match(Path.GetFileName(p))).Where(m => m.Success);
        foreach (var set in numbered.GroupBy(m => $"{m.Groups[1].Value}...-of-{m.Groups[3].Value}", StringComparer.Ordinal))
        {
            var there = set.Select(m => NumberOf(m.Groups[2])).ToHashSet();
            var count = NumberOf(set.First().Groups[3]);
            if (count is null or > MostParts) continue;
            int[] missing = [.. Enumerable.Range(there.Contains(0) || !there.Contains(count) ? 0 : 1, count.Value).Where(n => !there.Contains(n))];
            if (missing.Length == 0) continue;
            var width = set.First().Groups[2].Length;
            var shown = string.Join(", ", missing.Take(Shown).Select(n => n.ToString(CultureInfo.InvariantCulture).PadLeft(width, '0')));
            yield return $"of the {count:N0} files {set.Key} there are {count - missing.Length:N0}: "
                + $"{shown}{(missing.Length > Shown ? ", ..." : "")} {(missing.Length == 1 ? "is" : "are")} missing.";
        }
    }

    private static int? NumberOf(Group digits) => int.TryParse(digits.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? number : null;

    [GeneratedRegex(@"^(.*?-)([0-9]+)-of-([0-9]+)")]
    private static partial Regex Numbered();
}
