namespace JepaSharp.Data.Sources.Folders;

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
