using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>Where the images lie that a list or an annotation file names.</summary>
internal static class ListedFiles
{
    /// <summary>The folder that relative paths begin in.</summary>
    /// <param name="list">The file that names them.</param>
    /// <param name="images">The folder that was asked for; null for the one that the list lies in.</param>
    /// <exception cref="JepaException">There is no such folder.</exception>
    public static string FolderOf(string list, string? images)
    {
        if (images is null) return Path.GetDirectoryName(Path.GetFullPath(list))!;
        return Directory.Exists(images)
            ? Path.GetFullPath(images)
            : throw new JepaException(
                $"images={images}: there is no such folder. Give the folder in which the paths in {list} begin.", isUsage: true);
    }
}
