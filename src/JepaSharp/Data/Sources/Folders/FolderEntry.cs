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
        var identity = new FileIdentity(0, 0, real);
        if (Directory.Exists(real)) return new FileStatus(identity, EntryKind.Folder, 0, 1);
        return File.Exists(real) ? new FileStatus(identity, EntryKind.File, new FileInfo(real).Length, 1) : null;
    }
}
