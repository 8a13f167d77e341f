namespace JepaSharp.Runtime;

/// <summary>Why nothing is found at a path: there is nothing, a link leads nowhere, or the folder may not be looked into.</summary>
internal static class Absence
{
    /// <summary>What is said where there is nothing.</summary>
    public const string Nothing = "does not exist";

    /// <summary>The end of a sentence that begins with the path: "does not exist".</summary>
    public static string Of(string path)
    {
        if (IsHidden(path)) return "cannot be seen: there is no permission to look into the folder it lies in";
        return TargetOf(path) is { } target ? $"is a link to {target}, which is not there" : Nothing;
    }

    /// <summary>What a link leads to, as it is written in it; null for what is no link.</summary>
    public static string? TargetOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Whether a path is a link to what is not there. (That a link is there is what <c>File.Exists</c> says of it.)</summary>
    public static bool IsDangling(string path)
    {
        try
        {
            return TargetOf(path) is not null && new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true) is { } target
                && !Path.Exists(target.FullName);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // A circle, or what may not be looked at: opening it says so.
        }
    }

    /// <summary>Whether a path may not be looked at, which is not the same as that nothing is there.</summary>
    private static bool IsHidden(string path)
    {
        try
        {
            _ = File.GetAttributes(path);
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return true;
        }
        catch (Exception e) when (e is IOException or ArgumentException or NotSupportedException)
        {
            return false;
        }
    }
}
