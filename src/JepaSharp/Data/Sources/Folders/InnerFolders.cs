using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Folders;

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
