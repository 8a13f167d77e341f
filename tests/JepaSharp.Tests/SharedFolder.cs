namespace JepaSharp.Tests;

/// <summary>Recorded numbers and images that are too large for the repository, in a folder named <c>shared</c> beside it, or where a variable
/// says.</summary>
internal static class SharedFolder
{
    /// <summary>The environment variable that says where the folder is.</summary>
    public const string Variable = "JEPASHARP_SHARED";

    private static readonly string? Root = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given ? given : BesideTheRepository();

    /// <summary>Path of something in the folder; null where it is missing.</summary>
    public static string? Find(string relative) => Root is not null && Path.Combine(Root, relative) is var path && Path.Exists(path) ? path : null;

    /// <summary>Path of something in the folder; the test is skipped, saying so, where it is missing.</summary>
    public static string Require(string relative)
    {
        if (Find(relative) is { } path) return path;
        Assert.Skip($"shared/{relative} is not beside the repository.");
        return "";
    }

    private static string? BesideTheRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder?.Parent is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "JepaSharp.slnx"))) return Path.Combine(folder.Parent.FullName, "shared");
        }

        return null;
    }
}
