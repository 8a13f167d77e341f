using System.Globalization;
using System.Text;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Folders;

/// <summary>Notices names of classes that differ in nothing but case, spaces around them, or in how accents are written (composed, or a letter and a mark as a Mac's disk has them).</summary>
internal static class LookAlikes
{
    /// <summary>A sentence for each group of such names.</summary>
    public static IEnumerable<string> Notices(IReadOnlyList<string> names)
    {
        var groups = names.GroupBy(Shape, StringComparer.Ordinal).Where(g => g.Count() > 1);
        foreach (var group in groups)
        {
            string[] alike = [.. group];
            var isCase = alike.Select(n => n.Trim().ToUpperInvariant()).Distinct(StringComparer.Ordinal).Count() == 1;
            if (!isCase && !AreAlike(alike)) continue;
            yield return $"the classes {string.Join(" and ", alike.Select(n => $"\"{PrintableName.Of(n)}\""))} are told apart, though they differ only in "
                + (isCase ? "capitals or spaces." : "how accents are written.");
        }
    }

    /// <summary>A name without case, spaces around it and accents, whichever way these are written; no two look-alikes have different ones.</summary>
    private static string Shape(string name)
    {
        if (Ascii.IsValid(name)) return name.Trim().ToUpperInvariant();
        var shape = new StringBuilder(name.Length);
        foreach (var element in Elements(name)) shape.Append(element.Length == 1 && element[0] < 0x80 ? element : "\ufffc");
        return shape.ToString();
    }

    // A letter with its marks, against one letter that is not the same without them.
    private static bool AreAlike(string[] names)
    {
        for (var i = 1; i < names.Length; i++)
        {
            var (first, other) = (Elements(names[0]).ToList(), Elements(names[i]).ToList());
            if (first.Count != other.Count || !first.Zip(other).All(pair => AreAlike(pair.First, pair.Second))) return false;
        }

        return true;
    }

    private static bool AreAlike(string a, string b)
    {
        if (string.Equals(a, b, StringComparison.Ordinal)) return true;
        var (marked, single) = a.Length > b.Length ? (a, b) : (b, a);
        return single.Length == 1 && marked.Length > 1 && marked[0] != single[0] && single[0] >= 0x80;
    }

    /// <summary>Letters of the name in capitals, each with the marks behind it; syllables of Hangul composed.</summary>
    private static IEnumerable<string> Elements(string name)
    {
        var text = Composed(name.Trim().ToUpperInvariant());
        for (int start = 0, end; start < text.Length; start = end)
        {
            end = start + 1;
            while (end < text.Length && CharUnicodeInfo.GetUnicodeCategory(text[end]) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark) end++;
            yield return text[start..end];
        }
    }

    // The Unicode Standard, section 3.12: syllables are numbered by their leading consonant, vowel and trailing consonant.
    private static string Composed(string text)
    {
        const int leads = 19, vowels = 21, trails = 28;
        var composed = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            var before = composed.Length > 0 ? composed[^1] : '\0';
            if (before - '\u1100' is >= 0 and < leads && c - '\u1161' is >= 0 and < vowels) composed[^1] = (char)('\uac00' + (((((before - '\u1100') * vowels) + (c - '\u1161')) * trails)));
            else if (before is >= '\uac00' and <= '\ud7a3' && (before - '\uac00') % trails == 0 && c - '\u11a7' is > 0 and < trails) composed[^1] = (char)(before + (c - '\u11a7'));
            else composed.Append(c);
        }

        return composed.ToString();
    }
}
