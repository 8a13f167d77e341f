using System.Globalization;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Folders;

/// <summary>How lists of names stand in a sentence.</summary>
internal static class Wording
{
    private const int Shown = 8;

    /// <summary>Names fit to print, the first of them where there are many.</summary>
    public static string List(IReadOnlyList<string> names, int shown = Shown) =>
        string.Join(", ", names.Take(shown).Select(PrintableName.Of)) + (names.Count > shown ? ", ..." : "");
}

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

/// <summary>Notices that all images lie in one folder, and the folders that tell them apart further down.</summary>
internal static class InnerFolders
{
    /// <summary>A sentence that says which folder to give instead; null where nothing further down tells the images apart.</summary>
    public static string? NoticeOf(string root, IReadOnlyList<string> images)
    {
        var above = "";
        while (true)
        {
            var start = above.Length;
            if (images.Any(i => i.IndexOf('/', start) < 0)) return null;
            var names = images.Select(i => i[start..i.IndexOf('/', start)]).Distinct(StringComparer.Ordinal);
            string[] folders = [.. names.Order(StringComparer.Ordinal)];
            if (folders.Length > 1) return Notice(root, above.TrimEnd('/'), folders);
            above += folders[0] + "/";
        }
    }

    private static string Notice(string root, string wrapper, string[] folders)
    {
        string[] parts = [.. folders.Where(SetParts.IsOne)];
        var give = PrintableName.Of(Path.Combine(root, wrapper, parts.Length >= 2 ? parts[0] : "").TrimEnd('/'));
        var first = PrintableName.Of(wrapper.Split('/')[0]);
        return $"all images lie below one folder, {PrintableName.Of(wrapper)}, so {first} is the only class. "
            + (parts.Length >= 2
                ? $"The folders in it, {Wording.List(folders)}, are called like the parts of a set: give one of them, such as {give}."
                : $"If the classes are the folders in it, {Wording.List(folders)}, give {give}.");
    }
}

/// <summary>The classes of a folder of images: its first-level sub folders, where every image lies in one.</summary>
/// <param name="Names">Class names, in ordinal order of the folders.</param>
/// <param name="Labels">One an image; none where there are no classes.</param>
/// <param name="Notices">What is odd about them.</param>
internal sealed record FolderClasses(string[] Names, int[] Labels, List<string> Notices)
{
    /// <summary>Finds the classes of images.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="images">Names of the images below it.</param>
    /// <param name="emptyFolders">The folders directly in it of which it is known what they hold, among them those that hold no image.</param>
    public static FolderClasses Of(string root, IReadOnlyList<string> images, IEnumerable<string> emptyFolders)
    {
        var notices = new List<string>();
        var strays = images.Where(i => FirstFolder(i) is null).ToList();
        string[] folders = [.. images.Select(FirstFolder).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        if (strays.Count > 0)
        {
            if (folders.Length > 0) notices.Add(WhyNone(strays, folders));
            return new FolderClasses([], [], notices);
        }

        var labels = new int[images.Count];
        for (var i = 0; i < labels.Length; i++) labels[i] = Array.BinarySearch(folders, FirstFolder(images[i]), StringComparer.Ordinal);
        if (folders.Length == 1 && InnerFolders.NoticeOf(root, images) is { } inner) notices.Add(inner);
        else if (SetParts.NoticeOf(root, images, folders) is { } parts) notices.Add(parts);
        string[] empty = [.. emptyFolders.Except(folders, StringComparer.Ordinal)];
        if (empty.Length > 0)
            notices.Add(
                $"{Quantity.Of(empty.Length, "folder holds", "folders hold")} no image and "
                    + $"{(empty.Length == 1 ? "is no class" : "are no classes")}: "
                + $"{Wording.List(empty)}.");
        var names = UniqueNames.Of(folders);
        notices.AddRange(LookAlikes.Notices(names));
        return new FolderClasses(names, labels, notices);
    }

    private static string? FirstFolder(string name) => name.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash ? name[..slash] : null;

    private static string WhyNone(List<string> strays, string[] folders) =>
        $"there are no classes, because {Quantity.Of(strays.Count, "image lies", "images lie")} beside the folders {Wording.List(folders)} and "
            + $"in none: "
        + $"{Wording.List(strays)}. If the folders are classes, move {(strays.Count == 1 ? "it" : "them")} away.";
}
