using JepaSharp.Data.Decoding;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Folders;

/// <summary>A folder that was looked through: what lies in it, which of it are images, and the sentences on both.</summary>
/// <param name="Root">Full path.</param>
/// <param name="Contents">What lies in it.</param>
/// <param name="Selection">Which of it are images.</param>
internal sealed record ListedFolder(string Root, FolderContents Contents, ImageSelection Selection)
{
    /// <summary>Looks through a folder.</summary>
    /// <exception cref="JepaException">There is none, or it cannot be listed.</exception>
    public static ListedFolder Of(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var shown = PrintableName.Of(path);
        if (!RegularFile.IsFolder(path))
            throw new JepaException(
                RegularFile.Exists(path)
                    ? $"{shown} is a file. A folder of images is expected: give the folder it lies in."
                    : $"{shown} does not exist. A folder of images is expected: check the path.",
                isUsage: true);
        try
        {
            var root = Path.GetFullPath(path);
            var contents = FolderWalk.Of(root);
            return new ListedFolder(root, contents, ImageSelection.Of(root, contents));
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new JepaException($"{shown} cannot be listed: {e.Message} Check that it can be read.", isUsage: true, e);
        }
    }

    /// <summary>The name below the root of a file given by its full path.</summary>
    public string NameOf(string file) => Path.GetRelativePath(Root, file).Replace(Path.DirectorySeparatorChar, '/');

    /// <summary>How many files there are, and what becomes of them.</summary>
    public string Sum
    {
        get
        {
            var (found, images, passed) = (Contents.Found, Selection.Images.Count, Selection.PassedOver);
            var unlisted = Contents.Unlistable.Count;
            var hidden = unlisted == 0 ? "" : $"; what lies in {Quantity.Of(unlisted, "folder", "folders")} that cannot be listed is not counted";
            var files = Quantity.Of(found, "file", "files");
            return passed.Count == 0
                ? $"{files} found, all read{hidden}."
                : $"{files} found: {images:N0} read, {passed.Count:N0} passed over: {passed}{hidden}.";
        }
    }

    /// <summary>Sentences on folders that are not entered, and on images known by their content.</summary>
    /// <param name="shown">How many examples to give.</param>
    public IEnumerable<string> Notices(int shown)
    {
        var (unlistable, seconds, above) = (Contents.Unlistable, Contents.SecondFolders, Contents.LinksAbove);
        if (unlistable.Count > 0)
            yield return $"{Quantity.Of(unlistable.Count, "folder cannot", "folders cannot")} be listed for lack of permission, so what lies "
                + $"below is missing here: "
                + $"{Wording.List(unlistable)}. Change that, or know that it is missing.";
        if (seconds.Count > 0)
            yield return $"{Quantity.Of(seconds.Count, "folder is", "folders are")} reached in two ways and read once: {Pairs(seconds, shown)}.";
        if (above.Count > 0)
            yield return $"{Quantity.Of(above.Count, "link leads", "links lead")} to a folder that holds this one, and "
                + $"{(above.Count == 1 ? "is" : "are")} not followed: "
                + $"{Wording.List(above)}.";
        if (Selection.Notice is { } known) yield return known;
    }

    /// <summary>Why there is no image to read.</summary>
    public string WhyNone()
    {
        var endings = string.Join(", ", ImageFileFormat.Extensions.Select(e => "." + e));
        var supported = $"Images are JPEG, PNG, WebP, BMP, GIF and TIFF, known by their content; files ending in {endings} are taken for such.";
        var unlisted = Contents.Unlistable.Count == 0 ? "" : $" {Wording.List(Contents.Unlistable)} cannot be listed for lack of permission.";
        var path = PrintableName.Of(Root);
        return Contents.Found == 0
            ? $"{path} is empty.{unlisted} {supported}"
            : $"{path} holds {Quantity.Of(Contents.Found, "file", "files")} but no image: {Selection.PassedOver}.{unlisted} {supported}";
    }

    private static string Pairs(List<SecondName> seconds, int shown) =>
        Wording.List(seconds.ConvertAll(s => $"{s.Name} is {(s.Same.Length == 0 ? "the folder itself" : s.Same)}"), shown);
}
