using JepaSharp.Data.Sources.Folders;

namespace JepaSharp.Data.Sources.Scenes;

/// <summary>Compares the pictures that annotations describe with those that are there.</summary>
internal static class SceneNotices
{
    private const int Shown = 3;

    /// <summary>A sentence on pictures that are not described, or described twice; null where every one is described once.</summary>
    /// <param name="images">Those described, of one folder.</param>
    public static string? Of(IReadOnlyList<AnnotatedImage> images)
    {
        var described = images.Select(i => Path.GetFullPath(i.ImagePath)).ToHashSet(StringComparer.Ordinal);
        var folders = described.Select(p => Path.GetDirectoryName(p)!).Distinct(StringComparer.Ordinal);
        var pictures = folders.SelectMany(FilesOf).Where(f => FileKind.IsCalledPicture(f) && !described.Contains(f));
        string[] others = [.. pictures.Select(f => Path.GetFileName(f))];
        var twice = images.Count - described.Count;
        var counted = Wording.Counted(others.Length, "picture is", "pictures are");
        var left = others.Length == 0 ? "" : $"{counted} passed over, since no scene describes {(others.Length == 1 ? "it" : "them")}: {Wording.List(others, Shown)}.";
        var more = twice == 0 ? "" : $"{Wording.Counted(twice, "scene describes", "scenes describe")} a picture that another describes too.";
        return left.Length + more.Length == 0 ? null : string.Join(' ', ((string[])[left, more]).Where(t => t.Length > 0));
    }

    private static List<string> FilesOf(string folder)
    {
        try
        {
            return FolderSet.FilesOf(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // Pictures in it can be opened all the same.
        }
    }
}
