namespace JepaSharp.Data.Sources.Folders;

/// <summary>A file as it was come upon.</summary>
/// <param name="Name">Its name below the root.</param>
/// <param name="Inode">Its number, or that of what it links to; 0 where that is not known.</param>
/// <param name="IsLink">Whether it is a symbolic link.</param>
internal readonly record struct FoundFile(string Name, ulong Inode, bool IsLink = false);

/// <summary>Files of several names, by hard or symbolic links, are taken once: by the first name in ordinal order that is no symbolic link.</summary>
internal static class DistinctFiles
{
    /// <summary>The names to read, in ordinal order.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="files">All that was found.</param>
    /// <param name="seconds">Is given the names that are passed over.</param>
    public static List<string> Of(string root, List<FoundFile> files, List<SecondName> seconds)
    {
        files.Sort((a, b) => a.IsLink == b.IsLink ? string.CompareOrdinal(a.Name, b.Name) : a.IsLink.CompareTo(b.IsLink));
        var names = new List<string>(files.Count);
        if (LinuxFiles.AreHere) ByNumber(root, files, names, seconds);
        else ByPath(root, files, names, seconds);
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    // A folder's entries carry the numbers of their files. Only where two are alike the files must be asked: numbers are of one disk, and some
    // systems invent them.
    private static void ByNumber(string root, List<FoundFile> files, List<string> names, List<SecondName> seconds)
    {
        var firsts = new Dictionary<ulong, string>(files.Count);
        foreach (var file in files)
        {
            var isKnown = file.Inode != 0 && !firsts.TryAdd(file.Inode, file.Name);
            if (isKnown && AreOne(Path.Combine(root, firsts[file.Inode]), Path.Combine(root, file.Name), file.IsLink))
                seconds.Add(new SecondName(file.Name, firsts[file.Inode]));
            else
                names.Add(file.Name);
        }
    }

    private static bool AreOne(string first, string second, bool isLink) =>
        LinuxFiles.StatusOf(first) is { } a && LinuxFiles.StatusOf(second) is { } b && a.Identity == b.Identity && (isLink || b.Links > 1);

    // Hard links are not noticed here.
    private static void ByPath(string root, List<FoundFile> files, List<string> names, List<SecondName> seconds)
    {
        var firsts = new Dictionary<string, string>(StringComparer.Ordinal);
        var hasLinks = files.Exists(f => f.IsLink);
        foreach (var file in files)
        {
            var real = hasLinks ? RealPaths.Of(Path.Combine(root, file.Name)) : null;
            if (real is not null && !firsts.TryAdd(real, file.Name)) seconds.Add(new SecondName(file.Name, firsts[real]));
            else names.Add(file.Name);
        }
    }
}

/// <summary>Paths without links in any part, for systems whose numbers of files are not asked.</summary>
internal static class RealPaths
{
    // As many as Linux follows.
    private const int MostLinks = 40;

    /// <summary>The path that all links lead to; null where they go in circles or may not be looked at.</summary>
    public static string? Of(string path)
    {
        var links = 0;
        return Resolve(Path.GetFullPath(path), ref links);
    }

    private static string? Resolve(string path, ref int links)
    {
        try
        {
            if (Path.GetDirectoryName(path) is not { } above) return path;
            if (Resolve(above, ref links) is not { } real) return null;
            var here = Path.Combine(real, Path.GetFileName(path));
            if (new FileInfo(here).LinkTarget is not { } target) return here;
            return ++links > MostLinks ? null : Resolve(Path.GetFullPath(target, real), ref links);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
