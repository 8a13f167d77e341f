using JepaSharp.Data.Sources.Binary;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Folders;

/// <summary>Says of a set that was opened out of a folder what else lies there and is not read.</summary>
internal static class SetBesides
{
    /// <summary>The source, with its notices where there is something to say.</summary>
    /// <param name="source">What was opened; owned.</param>
    /// <param name="folder">The folder it lies in.</param>
    /// <param name="set">All files of its kind.</param>
    /// <param name="read">Those that are read.</param>
    /// <param name="chosenPart">The part that was taken because none was asked for; null where one was.</param>
    public static ImageSource Noted(ImageSource source, ListedFolder folder, FolderSet set, IReadOnlyList<string> read, string? chosenPart)
    {
        HashSet<string> Names(IEnumerable<string> files) => files.Select(folder.NameOf).ToHashSet(StringComparer.Ordinal);
        var (names, others) = (Names(read), Names(set.Files.Except(read, StringComparer.Ordinal)));
        var passed = new PassedOverFiles();
        foreach (var file in folder.Contents.Files.Where(f => !names.Contains(f))) passed.Add(IsOfOtherPart(file, others) ? "of another part" : WhatIs(file), file);
        passed.Add(folder.Contents.SetAside);
        foreach (var second in folder.Contents.SecondFiles.Where(s => !names.Contains(s.Name))) passed.Add(second);
        var notices = new List<string>();
        var sum = $"{Wording.Counted(read.Count + passed.Count, "file", "files")} found";
        sum += passed.Count == 0 ? ", all read." : $": {read.Count:N0} read, {passed.Count:N0} passed over: {passed}.";
        if (passed.Count > 0) notices.Add(sum);
        if (set.Kind == FolderSet.Cifar && CifarLayout.NoticeOfMissing(read) is { } missing) notices.Add(missing);
        if (chosenPart is not null && others.Count > 0)
            notices.Add($"of several parts the one called {chosenPart} is read; {PrintableName.Of(folder.Root)}#part=NAME gives another.");
        if (folder.Contents.Unlistable.Count > 0) notices.AddRange(folder.Notices(1).Take(1));
        return new NotedSource(source, sum, notices);
    }

    private static string WhatIs(string file) => FileKind.IsCalledImage(file) ? FileKind.ImageFile : FileKind.WhatIs(file);

    // The labels of another part's images are of that part too.
    private static bool IsOfOtherPart(string name, HashSet<string> others) =>
        others.Contains(name)
        || others.Contains(name.Replace("labels", "images", StringComparison.Ordinal).Replace("idx1", "idx3", StringComparison.Ordinal));
}
