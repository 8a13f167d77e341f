namespace JepaSharp.Data.Sources.Folders;

/// <summary>Lists one folder, hidden entries and those of strange names included.</summary>
internal static class FolderListing
{
    private static readonly EnumerationOptions Everything = new() { IgnoreInaccessible = false, AttributesToSkip = FileAttributes.None };

    /// <summary>What the folder holds, in ordinal order of the names.</summary>
    /// <exception cref="IOException">It cannot be listed.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be listed.</exception>
    public static List<FolderEntry> Of(string folder)
    {
        var entries = LinuxFiles.AreHere
            ? LinuxFiles.List(folder)
            : [.. new DirectoryInfo(folder).EnumerateFileSystemInfos("*", Everything).Select(EntryOf)];
        entries.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return entries;
    }

    private static FolderEntry EntryOf(FileSystemInfo entry)
    {
        var isHidden = OperatingSystem.IsWindows() && (entry.Attributes & (FileAttributes.Hidden | FileAttributes.System)) != 0;
        var kind = entry.LinkTarget is not null ? EntryKind.Link : entry is DirectoryInfo ? EntryKind.Folder : EntryKind.File;
        return new FolderEntry(entry.Name, kind, IsHidden: isHidden);
    }
}
