using JepaSharp.Runtime;

namespace JepaSharp.Weights;

/// <summary>Writes a file so that its name holds either the whole new content or what was there before, whatever happens.</summary>
/// <remarks>Written under a temporary name in the same folder, flushed to disk, renamed, and the folder's entry flushed too.</remarks>
internal static class DurableFile
{
    /// <summary>Writes <paramref name="path"/>, replacing what is there.</summary>
    /// <exception cref="WeightsFileException">The disk is full, the folder is missing or not writable, ...: nothing is left behind.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        var full = Path.GetFullPath(path);
        // Of this writing alone: a process of another machine may have the same number.
        var temporary = $"{full}.{Environment.ProcessId}-{Path.GetRandomFileName()}.partial";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 20))
            {
                write(stream);
                stream.Flush();
                DiskFlush.File(stream.SafeFileHandle, temporary);
            }

            Renaming.OfFile(temporary, full, overwrite: true);
            DiskFlush.Folder(Path.GetDirectoryName(full)!);
        }
        catch (Exception e)
        {
            TryDelete(temporary);
            if (e is IOException or UnauthorizedAccessException) throw WeightsFileException.Failed(path, "writing", e);
            throw;
        }
    }

    private static void TryDelete(string path)
    {
        try { File.Delete(path); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { }
    }
}
