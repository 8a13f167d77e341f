using JepaSharp.Data.Sources.Folders;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Lists;

/// <summary>Notices rows that list a file that another row lists, in other words or not: <c>a/1.jpg</c> and <c>./a//1.jpg</c>, or a link.</summary>
internal static class RepeatedRows
{
    // Asking a disk for every file of a longer list takes too long; there, paths are compared.
    private const int MostAsked = 100_000;

    /// <summary>A sentence; null where every row lists a file of its own.</summary>
    /// <param name="folder">Where relative paths begin.</param>
    /// <param name="names">The paths listed.</param>
    /// <param name="labels">Their labels.</param>
    /// <param name="row">What one of them is called.</param>
    /// <param name="rows">What several are called.</param>
    public static string? NoticeOf(string folder, IReadOnlyList<string> names, ClassLabels labels, string row = "row", string rows = "rows")
    {
        var firsts = new Dictionary<FileIdentity, int>(names.Count);
        var (repeated, disagreeing, example) = (0, 0, "");
        for (var i = 0; i < names.Count; i++)
        {
            var path = Path.GetFullPath(Path.Combine(folder, names[i]));
            var identity = names.Count <= MostAsked && FileStatus.Of(path) is { } status ? status.Identity : new FileIdentity(0, 0, path);
            if (firsts.TryAdd(identity, i)) continue;
            var first = firsts[identity];
            repeated++;
            if (labels.Of(first) != labels.Of(i)) disagreeing++;
            if (example.Length == 0 || (names[i] != names[first] && !example.Contains(" and ", StringComparison.Ordinal)))
                example = PrintableName.Of(names[i] == names[first] ? names[i] : $"{names[first]} and {names[i]}");
        }

        var labelled = disagreeing == 0 ? "" : $", {disagreeing:N0} of them with another label";
        return repeated == 0
            ? null
            : $"{Wording.Counted(repeated, $"{row} lists", $"{rows} list")} an image that another {row} lists too ({example}){labelled}; each {row} counts.";
    }
}
