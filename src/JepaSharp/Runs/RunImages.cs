using JepaSharp.Configuration;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Runs;

/// <summary>Opens the images that a run's own configuration names.</summary>
internal static class RunImages
{
    /// <summary>Opens them; where they are not there, says where the path comes from.</summary>
    /// <param name="data">The images' part of the configuration.</param>
    /// <param name="runFolder">The run.</param>
    /// <param name="given">Whether the path was given on the command line instead.</param>
    /// <exception cref="JepaException">They cannot be opened.</exception>
    public static ImageSource Open(DataOptions data, string runFolder, bool given)
    {
        try
        {
            return data.OpenSource();
        }
        catch (JepaException e) when (!given)
        {
            var config = Path.Combine(Path.GetFullPath(runFolder), "config.yaml");
            throw new JepaException(
                $"{e.Message} The path comes from {config}; if the images have moved, say where they are now with --data.", e.IsUsage, e);
        }
    }

    /// <summary>
    /// A relative path in a run's configuration, which an earlier version or a person wrote, is taken from the current folder; null where there
    /// is none.
    /// </summary>
    public static string? Note(DataOptions data, string runFolder) => data.ResolveSource() is { } path && SourceAddressIsRelative(path)
        ? $"data.path in {Path.Combine(runFolder, "config.yaml")} is relative, and taken from the current folder: {Path.GetFullPath(path)}"
        : null;

    private static bool SourceAddressIsRelative(string path) => !Path.IsPathRooted(path) && !path.StartsWith("scenes:", StringComparison.Ordinal);
}
