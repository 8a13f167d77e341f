namespace JepaSharp.Tests;

/// <summary>Recorded numbers and images that are too large for the repository, in a folder named <c>shared</c> beside it.</summary>
internal static class SharedFolder
{
    /// <summary>Path of something in the folder; the test is skipped, saying so, where it is missing.</summary>
    public static string Require(string relative)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder?.Parent is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "JepaSharp.slnx"))) continue;
            var path = Path.Combine(folder.Parent.FullName, "shared", relative);
            if (Path.Exists(path)) return path;
            break;
        }

        Assert.Skip($"shared/{relative} is not beside the repository.");
        return "";
    }
}
