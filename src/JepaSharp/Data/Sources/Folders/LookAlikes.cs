using System.Globalization;
using System.Text;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Folders;

/// <summary>Notices names of classes that differ in nothing but case, spaces around them, or in how accents are written.</summary>
/// <remarks>Accents are written as one letter, or as a letter and a mark, as a Mac's disk has them.</remarks>
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
            yield return $"the classes {string.Join(" and ", alike.Select(n => $"\"{PrintableName.Of(n)}\""))} are told apart, "
                + (isCase ? "though they differ only in capitals or spaces." : "though they differ only in how accents are written.");
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
            while (end < text.Length && IsMark(text[end])) end++;
            yield return text[start..end];
        }
    }

    private static bool IsMark(char c) =>
        CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    // The Unicode Standard, section 3.12: syllables are numbered by their leading consonant, vowel and trailing consonant.
    private static string Composed(string text)
    {
        const int firstLead = 0x1100, firstVowel = 0x1161, beforeTrails = 0x11a7, first = 0xac00, leads = 19, vowels = 21, trails = 28;
        var composed = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            var before = composed.Length > 0 ? composed[^1] : '\0';
            var (lead, vowel, trail, syllable) = (before - firstLead, c - firstVowel, c - beforeTrails, before - first);
            if (lead is >= 0 and < leads && vowel is >= 0 and < vowels) composed[^1] = (char)(first + (((lead * vowels) + vowel) * trails));
            else if (syllable is >= 0 and < leads * vowels * trails && syllable % trails == 0 && trail is > 0 and < trails)
                composed[^1] = (char)(before + trail);
            else composed.Append(c);
        }

        return composed.ToString();
    }
}
