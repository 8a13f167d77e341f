namespace JepaSharp.Data.Sources.Folders;

/// <summary>What stands in a folder under a name.</summary>
internal enum EntryKind
{
    /// <summary>Bytes.</summary>
    File,

    /// <summary>Another folder.</summary>
    Folder,

    /// <summary>A symbolic link, to whatever.</summary>
    Link,

    /// <summary>A pipe, a socket or a device.</summary>
    Other,
}

/// <summary>A name in a folder.</summary>
/// <param name="Name">The name, bytes that are no UTF-8 as <see cref="Runtime.RawName"/> keeps them.</param>
/// <param name="Kind">What it stands for.</param>
/// <param name="Inode">The file's number on its disk, as the folder has it; 0 where that is not known.</param>
/// <param name="IsHidden">Whether the system counts it as hidden or its own, whatever it is called.</param>
internal readonly record struct FolderEntry(string Name, EntryKind Kind, ulong Inode = 0, bool IsHidden = false);

/// <summary>What tells a file or folder from every other, under whatever names it is reached.</summary>
/// <param name="Device">The disk it lies on.</param>
/// <param name="Inode">Its number there.</param>
/// <param name="RealPath">Its path without links, where the system gives no numbers.</param>
internal readonly record struct FileIdentity(ulong Device, ulong Inode, string? RealPath = null);

/// <summary>What is known of a file or folder without opening it.</summary>
/// <param name="Identity">Which it is.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Links">How many names it has.</param>
internal sealed record FileStatus(FileIdentity Identity, EntryKind Kind, long Length, uint Links)
{
    /// <summary>Follows links; null where there is nothing, or nothing that may be looked at.</summary>
    public static FileStatus? Of(string path)
    {
        if (LinuxFiles.AreHere && LinuxFiles.StatusOf(path) is { } status) return status;
        if (RealPaths.Of(path) is not { } real) return null;
        var identity = new FileIdentity(0, 0, OperatingSystem.IsWindows() ? real.ToUpperInvariant() : real);
        if (Directory.Exists(real)) return new FileStatus(identity, EntryKind.Folder, 0, 1);
        return File.Exists(real) ? new FileStatus(identity, EntryKind.File, new FileInfo(real).Length, 1) : null;
    }
}

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

/// <summary>Names of what operating systems, network disks and archivers leave among a user's files. Nothing below them is a user's image.</summary>
internal static class SystemNames
{
    private static readonly Dictionary<string, string> Folders = new(StringComparer.OrdinalIgnoreCase)
    {
        ["@eaDir"] = "in @eaDir, a network disk's thumbnails",
        ["@Recycle"] = "in a network disk's @Recycle",
        ["@Recently-Snapshot"] = "in a network disk's @Recently-Snapshot",
        ["#recycle"] = "in a network disk's #recycle",
        ["#snapshot"] = "in a network disk's #snapshot",
        ["__MACOSX"] = "in __MACOSX, a Mac's notes on files",
        ["$RECYCLE.BIN"] = "in $RECYCLE.BIN, what Windows deleted",
        ["RECYCLER"] = "in RECYCLER, what Windows deleted",
        ["System Volume Information"] = "in Windows's System Volume Information",
        ["lost+found"] = "in lost+found",
    };

    private static readonly HashSet<string> Files = new(
        ["Thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "Icon\r"], StringComparer.OrdinalIgnoreCase);

    /// <summary>What files below an entry, or the entry itself, are to be called; null where it is a user's own.</summary>
    public static string? WhatIs(in FolderEntry entry)
    {
        if (Folders.TryGetValue(entry.Name, out var what) && entry.Kind != EntryKind.File) return what;
        if (entry.Kind == EntryKind.Folder) return entry.IsHidden || entry.Name.StartsWith('.') ? "in hidden folders" : null;
        if (entry.Name.StartsWith("._", StringComparison.Ordinal)) return "of a Mac's ._ notes on files";
        if (Files.Contains(entry.Name)) return "of Windows's or a Mac's own";
        return entry.IsHidden || entry.Name.StartsWith('.') ? "hidden" : null;
    }
}
