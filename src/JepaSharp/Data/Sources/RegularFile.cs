using JepaSharp.Data.Sources.Folders;
using JepaSharp.Runtime;
using Microsoft.Win32.SafeHandles;

namespace JepaSharp.Data.Sources;

/// <summary>Opens files that hold bytes. A pipe or a device is refused before it is opened, since opening it may block for ever.</summary>
internal static class RegularFile
{
    /// <summary>A stream for reading from the start.</summary>
    /// <exception cref="IOException">The file is missing, or is none.</exception>
    public static FileStream OpenRead(string path)
    {
        if (RawName.IsRaw(path)) return new FileStream(OpenHandle(path), FileAccess.Read);
        Require(path);
        return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
    }

    /// <summary>A handle for reading anywhere.</summary>
    /// <exception cref="IOException">The file is missing, or is none.</exception>
    public static SafeFileHandle OpenHandle(string path, FileOptions options = FileOptions.None)
    {
        Require(path);
        if (RawName.IsRaw(path)) return LinuxFiles.Open(path);
        return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, options);
    }

    /// <summary>Bytes of a file; 0 where it is missing, none, or cannot be seen.</summary>
    public static long LengthOf(string path)
    {
        try
        {
            if (RawName.IsRaw(path)) return LinuxFiles.StatusOf(path)?.Length ?? 0;
            var file = new FileInfo(path);
            return file.Exists ? (file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file).Length : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return 0; // Opening it will say what is wrong.
        }
    }

    /// <summary>Whether there is a file, whatever bytes its path has.</summary>
    public static bool Exists(string path) => RawName.IsRaw(path) ? LinuxFiles.StatusOf(path) is { Kind: not EntryKind.Folder } : File.Exists(path);

    /// <summary>Whether there is a folder, whatever bytes its path has.</summary>
    public static bool IsFolder(string path) =>
        RawName.IsRaw(path) ? LinuxFiles.StatusOf(path) is { Kind: EntryKind.Folder } : Directory.Exists(path);

    // A pipe, a socket and a device are zero bytes long. So is an empty file, which holds nothing to read either.
    private static void Require(string path)
    {
        if (RawName.IsRaw(path))
        {
            if (LinuxFiles.StatusOf(path) is { } status && (status.Kind != EntryKind.File || status.Length == 0)) throw new EmptyFileException();
            return;
        }

        if (Directory.Exists(path)) throw new UnusableFileException("it is a folder, not a file.");
        var file = new FileInfo(path);
        if (file.Attributes.HasFlag(FileAttributes.ReparsePoint) && file.Exists)
            file = (FileInfo?)file.ResolveLinkTarget(returnFinalTarget: true) ?? file;
        if (!file.Exists && Absence.IsDangling(path)) throw new UnusableFileException($"it {Absence.Of(path)}.");
        if (file.Length == 0) throw new EmptyFileException();
    }
}

/// <summary>What lies at a path cannot be read as a file. The message is the reason, a sentence for users.</summary>
internal class UnusableFileException(string reason) : IOException(reason);

/// <summary>A file holds no bytes, or is a pipe or device.</summary>
internal sealed class EmptyFileException() : UnusableFileException("the file is empty, or a pipe or device.");
