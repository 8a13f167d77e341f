using System.Text;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Folders;

/// <summary>Finds what a user's path means where its bytes are no UTF-8.</summary>
/// <remarks>A command's arguments and the working folder come with a replacement character for each such byte.</remarks>
internal static class GivenPath
{
    private const char Replacement = '\ufffd';

    /// <summary>The path as the kernel has it; the same text where it has no replacement characters, or exists with them, or nothing fits.</summary>
    /// <exception cref="JepaException">Several names fit.</exception>
    public static string Of(string path)
    {
        if (!LinuxFiles.AreHere || path.Contains('\0', StringComparison.Ordinal)) return path;
        var full = Path.GetFullPath(path);
        if (!full.Contains(Replacement, StringComparison.Ordinal) || Path.Exists(full)) return path;
        var found = "/";
        foreach (var name in full.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!name.Contains(Replacement, StringComparison.Ordinal))
            {
                found = Path.Combine(found, name);
                continue;
            }

            var fitting = Names(found).FindAll(n => n == name || Encoding.UTF8.GetString(RawName.Encode(n).AsSpan()[..^1]) == name);
            if (fitting.Count > 1)
                throw new JepaException(
                    $"{PrintableName.Of(path)} may mean {string.Join(" or ", fitting.Select(PrintableName.Of))} in {PrintableName.Of(found)}: "
                    + "their names are no UTF-8. Rename one.",
                    isUsage: true);
            if (fitting.Count == 0) return path;
            found = Path.Combine(found, fitting[0]);
        }

        return found;
    }

    private static List<string> Names(string folder)
    {
        try
        {
            return FolderListing.Of(folder).ConvertAll(e => e.Name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
