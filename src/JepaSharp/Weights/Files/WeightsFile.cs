using JepaSharp.Runtime;

namespace JepaSharp.Weights;

/// <summary>Opens the files that weights lie in.</summary>
internal static class WeightsFile
{
    /// <summary>The file, mapped into memory.</summary>
    /// <exception cref="WeightsFileException">It is missing, a folder, or cannot be read.</exception>
    public static MappedFile Map(string path)
    {
        if (Directory.Exists(path)) throw new WeightsFileException(path, "a folder", "a file");
        if (!File.Exists(path))
        {
            throw new WeightsFileException(
                path, Absence.Of(path) == Absence.Nothing ? "no such file" : $"nothing that can be read (it {Absence.Of(path)})", "an existing file");
        }

        try
        {
            return new MappedFile(File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw WeightsFileException.Failed(path, "opening", e);
        }
    }
}
