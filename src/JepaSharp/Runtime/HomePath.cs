namespace JepaSharp.Runtime;

/// <summary>
/// The user's own folder, which a shell writes <c>~</c> for only where a word begins with it: not after an equals sign, in quotes or in a file.
/// </summary>
public static class HomePath
{
    /// <summary>
    /// A path with a leading <c>~/</c> made the home folder; every other path as it is. A folder that is called <c>~</c> is reached as
    /// <c>./~</c>.
    /// </summary>
    public static string Expand(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length < 2 || path[0] != '~' || (path[1] != '/' && path[1] != Path.DirectorySeparatorChar)) return path;
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return home.Length == 0 ? path : Path.TrimEndingDirectorySeparator(home) + path[1..];
    }
}
