using System.Globalization;
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
        if (!RegularFile.IsFolder(path) && File.Exists(path)) throw new JepaException($"{shown} is a file. A folder of images is expected: give the folder it lies in.", isUsage: true);
        if (!RegularFile.IsFolder(path)) throw new JepaException($"{shown} does not exist. A folder of images is expected: check the path.", isUsage: true);
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

    /// <summary>How many files there are, and what becomes of them.</summary>
    public string Sum
    {
        get
        {
            var (found, images, passed) = (Contents.Found, Selection.Images.Count, Selection.PassedOver);
            var hidden = Contents.Unlistable.Count == 0 ? "" : $"; what lies in {Counted(Contents.Unlistable.Count, "folder that cannot be listed", "folders that cannot be listed")} is not counted";
            return passed.Count == 0
                ? string.Create(CultureInfo.InvariantCulture, $"{Counted(found, "file", "files")} found, all read{hidden}.")
                : string.Create(CultureInfo.InvariantCulture, $"{Counted(found, "file", "files")} found: {images:N0} read, {passed.Count:N0} passed over: {passed}{hidden}.");
        }
    }

    /// <summary>Sentences on folders that are not entered, and on images known by their content.</summary>
    /// <param name="shown">How many examples to give.</param>
    public IEnumerable<string> Notices(int shown)
    {
        if (Contents.Unlistable.Count > 0)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{Counted(Contents.Unlistable.Count, "folder cannot", "folders cannot")} be listed for lack of permission, so what lies below is missing here: {FolderClasses.List(Contents.Unlistable)}. Change that, or know that it is missing.");
        if (Contents.SecondFolders.Count > 0)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{Counted(Contents.SecondFolders.Count, "folder is", "folders are")} reached in two ways and read once: {Pairs(Contents.SecondFolders, shown)}.");
        if (Contents.LinksAbove.Count > 0)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{Counted(Contents.LinksAbove.Count, "link leads", "links lead")} to a folder that holds this one, and {(Contents.LinksAbove.Count == 1 ? "is" : "are")} not followed: {FolderClasses.List(Contents.LinksAbove)}.");
        if (Selection.Notice is { } known) yield return known;
    }

    /// <summary>Why there is no image to read.</summary>
    public string WhyNone()
    {
        var supported = $"Images are JPEG, PNG, WebP, BMP, GIF and TIFF, known by their content; files ending in {string.Join(", ", ImageFileFormat.Extensions.Select(e => "." + e))} are taken for such.";
        var unlisted = Contents.Unlistable.Count == 0 ? "" : $" {FolderClasses.List(Contents.Unlistable)} cannot be listed for lack of permission.";
        var path = PrintableName.Of(Root);
        return Contents.Found == 0
            ? $"{path} is empty.{unlisted} {supported}"
            : string.Create(CultureInfo.InvariantCulture, $"{path} holds {Counted(Contents.Found, "file", "files")} but no image: {Selection.PassedOver}.{unlisted} {supported}");
    }

    private static string Counted(int count, string one, string several) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? one : several)}");

    private static string Pairs(List<SecondName> seconds, int shown) =>
        string.Join(", ", seconds.Take(shown).Select(s => $"{PrintableName.Of(s.Name)} is {(s.Same.Length == 0 ? "the folder itself" : PrintableName.Of(s.Same))}")) + (seconds.Count > shown ? ", ..." : "");
}
