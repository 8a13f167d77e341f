namespace JepaSharp.Data.Sources.Folders;

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
                $"{Wording.Counted(empty.Length, "folder holds", "folders hold")} no image and {(empty.Length == 1 ? "is no class" : "are no classes")}: "
                + $"{Wording.List(empty)}.");
        var names = UniqueNames.Of(folders);
        notices.AddRange(LookAlikes.Notices(names));
        return new FolderClasses(names, labels, notices);
    }

    private static string? FirstFolder(string name) => name.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash ? name[..slash] : null;

    private static string WhyNone(List<string> strays, string[] folders) =>
        $"there are no classes, because {Wording.Counted(strays.Count, "image lies", "images lie")} beside the folders {Wording.List(folders)} and in none: "
        + $"{Wording.List(strays)}. If the folders are classes, move {(strays.Count == 1 ? "it" : "them")} away.";
}
