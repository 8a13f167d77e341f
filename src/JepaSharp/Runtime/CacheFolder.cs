namespace JepaSharp.Runtime;

/// <summary>Where what can be computed again is kept between runs.</summary>
internal static class CacheFolder
{
    /// <summary>JEPASHARP_CACHE, else jepasharp in the user's cache folder; null where the user has no home.</summary>
    public static string? Default()
    {
        if (Environment.GetEnvironmentVariable("JEPASHARP_CACHE") is { Length: > 0 } chosen) return HomePath.Expand(chosen);
        if (OperatingSystem.IsWindows())
            return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "jepasharp", "cache");
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        if (OperatingSystem.IsMacOS()) return home.Length == 0 ? null : Path.Combine(home, "Library", "Caches", "jepasharp");
        var caches = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") ?? "";
        if (Path.IsPathFullyQualified(caches)) return Path.Combine(caches, "jepasharp"); // a relative one is to be passed over
        return home.Length == 0 ? null : Path.Combine(home, ".cache", "jepasharp");
    }
}
