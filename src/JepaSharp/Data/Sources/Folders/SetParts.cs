using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Folders;

/// <summary>Notices folders that are called like the parts of a set, such as train and test, on the levels where classes or what divides them
/// stand.</summary>
internal static class SetParts
{
    private const int Levels = 4;

    private static readonly HashSet<string> Parts = new(
        ["train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval", "evaluation", "holdout"], StringComparer.Ordinal);

    // What is written around them: train2017, test_images, val-set.
    private static readonly string[] Around = ["images", "image", "imgs", "img", "set", "data", "split"];

    /// <summary>Whether a folder is called like a part of a set.</summary>
    public static bool IsOne(string folder)
    {
        var name = new string([.. folder.Where(char.IsAsciiLetter)]).ToLowerInvariant();
        return Parts.Contains(name) || Around.Any(a => (name.StartsWith(a, StringComparison.Ordinal) && Parts.Contains(name[a.Length..]))
            || (name.EndsWith(a, StringComparison.Ordinal) && Parts.Contains(name[..^a.Length])));
    }

    /// <summary>A sentence where folders on one level are called so; null where none are.</summary>
    public static string? NoticeOf(string root, IReadOnlyList<string> images, IReadOnlyList<string> classes)
    {
        for (var level = 0; level < Levels; level++)
        {
            var found = PathsAt(images, level).Where(p => IsOne(p[(p.LastIndexOf('/') + 1)..])).ToList();
            if (found.Select(p => p[(p.LastIndexOf('/') + 1)..]).Distinct(StringComparer.OrdinalIgnoreCase).Count() < 2) continue;
            var example = PrintableName.Of(Path.Combine(root, found[0]));
            return $"the folders {Wording.List(classes)} are taken for classes" + (level == 0
                ? $" but called like the parts of a set: give one of them, such as {example}."
                : $", but folders in them are called like the parts of a set ({Wording.List(found)}): give one of those, such as {example}.");
        }

        return null;
    }

    private static SortedSet<string> PathsAt(IReadOnlyList<string> images, int level)
    {
        var seen = new SortedSet<string>(StringComparer.Ordinal);
        var latest = ""; // images come in order
        foreach (var image in images)
        {
            var end = -1;
            for (var l = 0; l <= level; l++)
            {
                end = image.IndexOf('/', end + 1);
                if (end < 0) break;
            }

            if (end < 0 || image.AsSpan(0, end).SequenceEqual(latest)) continue;
            latest = image[..end];
            seen.Add(latest);
        }

        return seen;
    }
}
