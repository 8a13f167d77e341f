namespace JepaSharp.Data.Sources;

/// <summary>Lists the files below a folder. Links are followed, each real folder is entered once, hidden files and folders are passed over.</summary>
internal static class FolderWalk
{
    private static readonly EnumerationOptions Flat = new()
    {
        IgnoreInaccessible = true,
        AttributesToSkip = FileAttributes.Hidden | FileAttributes.System,
        RecurseSubdirectories = false,
    };

    /// <summary>Relative paths with '/' between their parts, in ordinal order.</summary>
    public static List<string> Files(string root)
    {
        var found = new List<string>();
        var entered = new HashSet<string>(StringComparer.Ordinal) { RealPath(new DirectoryInfo(root)) };
        var waiting = new Stack<(DirectoryInfo Folder, string Prefix)>([(new DirectoryInfo(root), "")]);
        while (waiting.TryPop(out var next))
        {
            // In ordinal order, so that of two links to one folder it is always the same one that is entered.
            var children = new List<(DirectoryInfo, string)>();
            foreach (var entry in next.Folder.EnumerateFileSystemInfos("*", Flat).OrderBy(e => e.Name, StringComparer.Ordinal))
            {
                if (entry.Name.StartsWith('.')) continue;
                if (entry is not DirectoryInfo folder) found.Add(next.Prefix + entry.Name);
                else if (entered.Add(RealPath(folder))) children.Add((folder, next.Prefix + entry.Name + "/"));
            }

            for (var i = children.Count - 1; i >= 0; i--) waiting.Push(children[i]);
        }

        found.Sort(StringComparer.Ordinal);
        return found;
    }

    private static string RealPath(DirectoryInfo folder)
    {
        try
        {
            return folder.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? folder.FullName;
        }
        catch (IOException)
        {
            return folder.FullName; // A link to itself: it cannot be listed either.
        }
    }
}
