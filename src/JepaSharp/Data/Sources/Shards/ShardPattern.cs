using System.Globalization;
using System.Text.RegularExpressions;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Shards;

/// <summary>Paths written as one: <c>name-{0000..0099}.tar</c>, as WebDataset and shells do.</summary>
internal static partial class ShardPattern
{
    private const int Most = 1_000_000;

    /// <summary>Whether a path is such a pattern.</summary>
    public static bool IsOne(string path) => Range().IsMatch(path);

    /// <summary>Every path of a pattern, in order; the numbers are as wide as the first is written.</summary>
    /// <exception cref="JepaException">A range runs backwards or names more shards than anyone has.</exception>
    public static IReadOnlyList<string> Expand(string pattern)
    {
        var match = Range().Match(pattern);
        if (!match.Success) return [pattern];
        var (from, to) = (match.Groups[1].Value, match.Groups[2].Value);
        if (!int.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            || !int.TryParse(to, NumberStyles.None, CultureInfo.InvariantCulture, out var last) || last < first || last - first >= Most)
            throw new JepaException(
                $"{match.Value} in {pattern} is no range of shards. Write the first and the last number, as in {{0000..0099}}.", isUsage: true);
        var paths = new List<string>();
        for (var number = first; number <= last; number++)
        {
            var text = number.ToString(CultureInfo.InvariantCulture).PadLeft(from.Length, '0');
            paths.AddRange(Expand(pattern[..match.Index] + text + pattern[(match.Index + match.Length)..]));
            if (paths.Count > Most) throw new JepaException($"{pattern} names more than {Most:N0} shards.", isUsage: true);
        }

        return paths;
    }

    [GeneratedRegex(@"\{([0-9]+)\.\.([0-9]+)\}")]
    private static partial Regex Range();
}
