namespace JepaSharp.Data.Sources.Folders;

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
