using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace JepaSharp.Runtime;

/// <summary>Puts what was written where a loss of power cannot reach it: a file's content, or the names in a folder.</summary>
internal static partial class DiskFlush
{
    /// <summary>Told the path after each flush. For the harness that simulates a loss of power; null outside it.</summary>
    internal static Action<string>? Witness { get; set; }

    /// <summary>Waits until a file's content is on disk.</summary>
    /// <param name="handle">The file, open for writing.</param>
    /// <param name="path">Where it lies.</param>
    /// <exception cref="IOException">The disk failed.</exception>
    public static void File(SafeFileHandle handle, string path)
    {
        RandomAccess.FlushToDisk(handle);
        Witness?.Invoke(path);
    }

    /// <summary>
    /// Waits until the names in a folder are on disk: what was made, renamed or removed in it. Where a system cannot do it, it is left out.
    /// </summary>
    public static void Folder(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Open(path, 0);
        if (descriptor < 0) return;
        _ = Sync(descriptor);
        _ = Close(descriptor);
        Witness?.Invoke(path);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);
}
