using System.Runtime.InteropServices;
using System.Text;
using JepaSharp.Runtime;

namespace JepaSharp.Cli;

/// <summary>A file of results, which is there whole or not at all.</summary>
internal static unsafe partial class WholeFile
{
    private const int Here = -100, Type = 1, SizeOfStatus = 256, ModeAt = 28; // AT_FDCWD, STATX_TYPE, struct statx
    private const int TypeMask = 0xf000, Regular = 0x8000;

    /// <summary>
    /// Writes a text under another name and renames it; what was there before stays if that fails. A pipe or a device (/dev/stdout) is written into.
    /// </summary>
    /// <exception cref="JepaException">It cannot be written; nothing is left behind.</exception>
    public static void WriteText(string path, string text)
    {
        var temporary = $"{path}.{Environment.ProcessId}.partial";
        try
        {
            if (IsNoRegularFile(path))
            {
                using var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                stream.Write(Encoding.UTF8.GetBytes(text));
                return;
            }

            File.WriteAllText(temporary, text);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(temporary);
            throw new JepaException($"{path} cannot be written: {e.Message}", inner: e);
        }
    }

    private static bool IsNoRegularFile(string path)
    {
        if (OperatingSystem.IsWindows()) return IsWindowsDevice(Path.GetFullPath(path));
        if (!OperatingSystem.IsLinux()) return path.StartsWith("/dev/", StringComparison.Ordinal);
        var status = stackalloc byte[SizeOfStatus];
        return Status(Here, path, 0, Type, status) == 0 && (*(ushort*)(status + ModeAt) & TypeMask) != Regular;
    }

    /// <summary>Whether a full path is a device's or a pipe's (<c>\\.\NUL</c>, which <c>NUL</c> is short for), and not one
    /// that only goes round the limit on lengths (<c>\\?\C:\x</c>).</summary>
    internal static bool IsWindowsDevice(string fullPath) => fullPath.StartsWith(@"\\.\", StringComparison.Ordinal);

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // As little can be removed as written.
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Status(int folder, string path, int flags, uint mask, byte* status);
}
