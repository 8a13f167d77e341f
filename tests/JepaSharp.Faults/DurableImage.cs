using System.Globalization;
using System.Runtime.InteropServices;

namespace JepaSharp.Faults;

/// <summary>What is on disk for certain: of each file the content of its last flush, of each folder the names of its last flush.</summary>
/// <remarks>
/// Kept up by the process that writes, at each of its flushes; a loss of power afterwards may take everything else. Files and folders are
/// known by their number and time of birth, so that a rename does not deceive it and a number that is used again does not either.
/// </remarks>
internal sealed partial class DurableImage
{
    private readonly string _contents, _names;

    public DurableImage(string place)
    {
        _contents = Directory.CreateDirectory(Path.Combine(place, "contents")).FullName;
        _names = Directory.CreateDirectory(Path.Combine(place, "names")).FullName;
    }

    /// <summary>Takes down what was flushed.</summary>
    public void Record(string path)
    {
        if (Directory.Exists(path))
        {
            Put(Path.Combine(_names, KeyOf(path)), string.Join('\n', Directory.EnumerateFileSystemEntries(path)
                .Select(e => $"{KeyOf(e)}\t{(Directory.Exists(e) ? "folder" : "file")}\t{Path.GetFileName(e)}")));
        }
        else if (File.Exists(path))
        {
            var copy = Path.Combine(_contents, KeyOf(path));
            File.Copy(path, copy + ".new", overwrite: true);
            File.Move(copy + ".new", copy, overwrite: true);
        }
    }

    /// <summary>Puts a folder into the state after a loss of power.</summary>
    /// <param name="folder">The folder; gone afterwards where its own name was never flushed.</param>
    /// <param name="namesSurvive">Whether names are on disk though they were not flushed, as some file systems do; contents never are.</param>
    public void LosePower(string folder, bool namesSurvive)
    {
        var rebuilt = folder + ".rebuilt";
        var isKept = namesSurvive || NamesOf(KeyOf(Path.GetDirectoryName(folder)!)).Any(e => e.Name == Path.GetFileName(folder));
        if (isKept)
        {
            if (namesSurvive) RebuildFromTree(folder, rebuilt);
            else RebuildFromNames(KeyOf(folder), rebuilt);
        }

        Directory.Delete(folder, recursive: true);
        if (!isKept) return;
        Directory.Move(rebuilt, folder);
        // What is left is on disk, under new numbers.
        foreach (var entry in Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories)) Record(entry);
        Record(folder);
        Record(Path.GetDirectoryName(folder)!);
    }

    private void RebuildFromNames(string key, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var (entry, isFolder, name) in NamesOf(key))
        {
            var path = Path.Combine(to, name);
            if (isFolder) RebuildFromNames(entry, path);
            else File.WriteAllBytes(path, ContentOf(entry));
        }
    }

    private void RebuildFromTree(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var folder in Directory.EnumerateDirectories(from)) RebuildFromTree(folder, Path.Combine(to, Path.GetFileName(folder)));
        foreach (var file in Directory.EnumerateFiles(from)) File.WriteAllBytes(Path.Combine(to, Path.GetFileName(file)), ContentOf(KeyOf(file)));
    }

    private byte[] ContentOf(string key) => File.Exists(Path.Combine(_contents, key)) ? File.ReadAllBytes(Path.Combine(_contents, key)) : [];

    private IEnumerable<(string Key, bool IsFolder, string Name)> NamesOf(string key)
    {
        var path = Path.Combine(_names, key);
        return !File.Exists(path) ? [] : File.ReadAllLines(path).Where(l => l.Length > 0).Select(l => l.Split('\t')).Select(
            p => (p[0], p[1] == "folder", p[2]));
    }

    private static void Put(string path, string text)
    {
        File.WriteAllText(path + ".new", text);
        File.Move(path + ".new", path, overwrite: true);
    }

    // .NET's creation time is on Linux that of the last change, not of birth.
    private static unsafe string KeyOf(string path)
    {
        var status = stackalloc byte[256];
        if (Status(CurrentFolder, path, 0, Number | Birth, status) != 0) return "gone";
        return string.Create(CultureInfo.InvariantCulture, $"{*(ulong*)(status + 32)}-{*(long*)(status + 80)}.{*(uint*)(status + 88)}");
    }

    // struct statx: the number at 32, seconds and nanoseconds of birth at 80 and 88.
    private const int CurrentFolder = -100, Number = 0x100, Birth = 0x800;

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int Status(int folder, string path, int flags, int mask, byte* status);
}
