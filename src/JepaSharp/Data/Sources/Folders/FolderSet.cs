using JepaSharp.Data.Sources.Binary;

namespace JepaSharp.Data.Sources.Folders;

/// <summary>Files of a folder that hold a set of images each or together: IDX, CIFAR, tar shards or Parquet.</summary>
/// <param name="Kind">What to call it.</param>
/// <param name="HasParts">Whether such files come as the parts of a set.</param>
/// <param name="Files">Full paths, in ordinal order.</param>
internal sealed record FolderSet(string Kind, bool HasParts, IReadOnlyList<string> Files)
{
    public const string Idx = "IDX", Cifar = "CIFAR", Shards = "tar shards", Parquet = "Parquet";

    private const string ParquetEnding = ".parquet";

    /// <summary>The sets that lie directly in a folder, at most one of each kind.</summary>
    /// <param name="folder">Full path.</param>
    /// <exception cref="IOException">It cannot be listed.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be listed.</exception>
    public static List<FolderSet> In(string folder)
    {
        var files = FilesOf(folder);
        FolderSet[] sets =
        [
            new(Idx, true, files.FindAll(IdxImages.IsOne)),
            new(Cifar, true, files.FindAll(f => CifarLayout.OfFile(f) is not null)),
            new(Shards, false, Ending(files, ".tar")),
            new(Parquet, true, ParquetOf(folder, files)),
        ];
        return [.. sets.Where(s => s.Files.Count > 0)];
    }

    /// <summary>Files directly in a folder whose names end so, hidden ones left out, in ordinal order.</summary>
    public static List<string> FilesOf(string folder, string ending) => Ending(FilesOf(folder), ending);

    /// <summary>Files directly in a folder, links among them, hidden ones left out, in ordinal order.</summary>
    public static List<string> FilesOf(string folder) =>
        [.. FolderListing.Of(folder)
            .Where(e => SystemNames.WhatIs(e) is null)
            .Where(e => e.Kind is EntryKind.File or EntryKind.Other || (e.Kind == EntryKind.Link && RegularFile.Exists(Path.Combine(folder, e.Name))))
            .Select(e => Path.Combine(folder, e.Name))];

    // Hugging Face keeps the files of a data set in a folder named data.
    private static List<string> ParquetOf(string folder, List<string> files)
    {
        if (Ending(files, ParquetEnding) is { Count: > 0 } here) return here;
        var below = Path.Combine(folder, "data");
        return RegularFile.IsFolder(below) ? FilesOf(below, ParquetEnding) : [];
    }

    private static List<string> Ending(List<string> files, string ending) =>
        files.FindAll(f => f.EndsWith(ending, StringComparison.OrdinalIgnoreCase));
}
