using System.Buffers.Binary;
using System.Runtime.InteropServices;
using JepaSharp.Runtime;
using Microsoft.Win32.SafeHandles;

namespace JepaSharp.Data.Sources.Folders;

/// <summary>Lists, looks at and opens files by the bytes of their names, which .NET cannot where they are no UTF-8. Linux only, 64 bits.</summary>
internal static partial class LinuxFiles
{
    private const int Missing = 2, NoPermission = 13, NotPermitted = 1;

    /// <summary>Whether this system is one that the layouts below are of.</summary>
    public static bool AreHere { get; } = OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    /// <summary>What a folder holds, in no order.</summary>
    /// <exception cref="IOException">It cannot be listed.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be listed.</exception>
    public static unsafe List<FolderEntry> List(string folder)
    {
        // struct dirent: number of the file, offset, length of the entry (16), kind (18), name (19).
        const int kindAt = 18, nameAt = 19;
        var stream = OpenFolder(RawName.Encode(folder));
        if (stream == IntPtr.Zero) throw Failure(folder);
        try
        {
            var entries = new List<FolderEntry>();
            while (true)
            {
                var entry = (byte*)ReadFolder(stream);
                if (entry is null) return Marshal.GetLastPInvokeError() == 0 ? entries : throw Failure(folder);
                var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + nameAt);
                if (name is [(byte)'.'] or [(byte)'.', (byte)'.']) continue;
                var text = RawName.Decode(name);
                var kind = KindOf(entry[kindAt]) ?? StatusOf(Path.Combine(folder, text), follow: false)?.Kind ?? EntryKind.File;
                entries.Add(new FolderEntry(text, kind, *(ulong*)entry));
            }
        }
        finally
        {
            _ = CloseFolder(stream);
        }
    }

    /// <summary>What is known of a file or folder without opening it; null where it is not there or may not be looked at.</summary>
    public static FileStatus? StatusOf(string path, bool follow = true)
    {
        // struct statx: number of links (16), mode (28), number (32), length (40), device (136 and 140).
        const int workingFolder = -100, doNotFollow = 0x100, basic = 0x7ff, length = 256;
        Span<byte> status = stackalloc byte[length];
        if (Statx(workingFolder, RawName.Encode(path), follow ? 0 : doNotFollow, basic, status) != 0) return null;
        var device = ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(status[136..]) << 32) | BinaryPrimitives.ReadUInt32LittleEndian(status[140..]);
        return new FileStatus(
            new FileIdentity(device, BinaryPrimitives.ReadUInt64LittleEndian(status[32..])),
            KindOf((byte)(BinaryPrimitives.ReadUInt16LittleEndian(status[28..]) >> 12)) ?? EntryKind.Other,
            BinaryPrimitives.ReadInt64LittleEndian(status[40..]),
            BinaryPrimitives.ReadUInt32LittleEndian(status[16..]));
    }

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="IOException">It is not there, or cannot be opened.</exception>
    public static SafeFileHandle Open(string path)
    {
        const int readOnlyAndClosedOnExec = 0x80000;
        var handle = OpenFile(RawName.Encode(path), readOnlyAndClosedOnExec);
        return handle >= 0 ? new SafeFileHandle(handle, ownsHandle: true) : throw Failure(path);
    }

    // The kinds of a directory's entry are the upper bits of a file's mode.
    private static EntryKind? KindOf(byte type) => type switch
    {
        0 => null,
        4 => EntryKind.Folder,
        8 => EntryKind.File,
        10 => EntryKind.Link,
        _ => EntryKind.Other,
    };

    private static Exception Failure(string path)
    {
        var error = Marshal.GetLastPInvokeError();
        var message = $"{PrintableName.Of(path)}: {Marshal.GetPInvokeErrorMessage(error)}.";
        return error switch
        {
            Missing => new FileNotFoundException(message),
            NoPermission or NotPermitted => new UnauthorizedAccessException(message),
            _ => new IOException(message),
        };
    }

    [LibraryImport("libc", EntryPoint = "opendir", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial IntPtr OpenFolder(ReadOnlySpan<byte> path);

    [LibraryImport("libc", EntryPoint = "readdir", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial IntPtr ReadFolder(IntPtr stream);

    [LibraryImport("libc", EntryPoint = "closedir")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int CloseFolder(IntPtr stream);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Statx(int folder, ReadOnlySpan<byte> path, int flags, uint mask, Span<byte> status);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int OpenFile(ReadOnlySpan<byte> path, int flags);
}
