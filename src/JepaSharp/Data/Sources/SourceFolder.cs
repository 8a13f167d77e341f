using JepaSharp.Data.Sources.Binary;
using JepaSharp.Data.Sources.Folders;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>Tells by the files that lie in a folder what set of images it is.</summary>
internal static class SourceFolder
{
    private const string Train = "train";

    // An archive left beside the images that came out of it is one to many; a picture left beside archives is one to few.
    private const int ImagesForAFile = 8;

    /// <summary>Opens a folder: CLEVR or rendered scenes, IDX, CIFAR, tar shards, Parquet, else a folder of image files.</summary>
    /// <exception cref="JepaException">It holds no images, not the part asked for, or can be read in two ways.</exception>
    public static ImageSource Open(SourceAddress address)
    {
        var path = address.Path;
        if (ClevrFolder.IsOne(path))
        {
            address.Allow("a folder of scenes", label: true, part: true);
            return new ClevrImages(path, address.Part, address.Label);
        }

        if (SetsIn(Path.GetFullPath(path)).Count == 0) address.Allow("a folder of images"); // before all of it is listed
        var folder = ListedFolder.Of(path);
        var seconds = folder.Contents.SecondFiles.Select(s => Path.Combine(folder.Root, s.Name)).ToHashSet(StringComparer.Ordinal);
        var sets = SetsIn(folder.Root)
            .ConvertAll(s => s with { Files = [.. s.Files.Where(f => !seconds.Contains(f))] })
            .FindAll(s => s.Files.Count > 0);
        if (sets.Count > 0 && folder.Selection.Images.Count < ImagesForAFile * sets.Sum(s => s.Files.Count))
        {
            var asksForSet = address.Part is not null || address.Label is not null;
            if (sets.Count > 1 || (folder.Selection.Images.Count > 0 && !asksForSet)) throw TwoReadings(folder, sets);
            return OpenSet(address, folder, sets[0]);
        }

        if (folder.Selection.Images.Count == 0) RefuseWithoutImages(address, folder);
        address.Allow("a folder of images");
        var images = new ImageFolder(folder);
        return sets.Count == 0 ? images : new NotedSource(images, images.Sum, [.. sets.Select(s => Beside(folder, s))]);
    }

    private static ImageSource OpenSet(SourceAddress address, ListedFolder folder, FolderSet set)
    {
        var part = address.Part ?? Train;
        IReadOnlyList<string> read;
        ImageSource source;
        switch (set.Kind)
        {
            case FolderSet.Idx:
                address.Allow("a folder of IDX", part: true);
                var images = IdxImages.Find(set.Files, part) ?? throw NoPart(folder.Root, part, "train and test");
                read = IdxImages.LabelsBeside(images) is { } labels ? [images, labels] : [images];
                source = new IdxImages(images);
                break;
            case FolderSet.Cifar:
                address.Allow("a folder of CIFAR", label: true, part: true);
                read = CifarLayout.Find(set.Files, part) is { Count: > 0 } found ? found : throw NoPart(folder.Root, part, "train and test");
                source = new CifarBinary(read, address.Label);
                break;
            case FolderSet.Shards:
                source = ImageSources.OpenShards(address, read = set.Files);
                break;
            default:
                source = ImageSources.OpenParquet(address, read = OfPart(folder.Root, set.Files, address.Part));
                break;
        }

        return SetBesides.Noted(source, folder, set, read, address.Part is null ? part : null);
    }

    private static string Beside(ListedFolder folder, FolderSet set)
    {
        var (are, those) = set.Files.Count == 1 ? ("is", "it") : ("are", "those");
        return $"the image files are read, and {NamesOf(folder, set)} beside them {are} not; to read {those} instead, give {WayTo(folder, set)}.";
    }

    private static string NamesOf(ListedFolder folder, FolderSet set) => Wording.List([.. set.Files.Select(folder.NameOf)]);

    private static string WayTo(ListedFolder folder, FolderSet set) => PrintableName.Of(set.Files switch
    {
        [var one] => one,
        [var first, ..] when !set.HasParts => $"{first}, or a pattern such as {Path.Combine(folder.Root, "NAME-{0000..0099}.tar")}",
        [var first, ..] => first,
        _ => folder.Root,
    });

    private static JepaException TwoReadings(ListedFolder folder, List<FolderSet> sets)
    {
        var ways = sets.ConvertAll(s => (What: $"{s.Kind} ({NamesOf(folder, s)})", Give: WayTo(folder, s)));
        var images = folder.Selection.Images;
        if (images.Count > 0) ways.Insert(0, ($"{Quantity.Of(images.Count, "image file", "image files")} ({Wording.List(images)})", ""));
        return new JepaException(
            $"{PrintableName.Of(folder.Root)} can be read in several ways: {string.Join(", or as ", ways.Select(w => w.What))}. "
            + $"Give {string.Join(" or ", ways.Where(w => w.Give.Length > 0).Select(w => w.Give))}"
            + $"{(sets is [{ HasParts: true }] ? $", or {PrintableName.Of(folder.Root)}#part=train" : "")}, or move away what is not meant.",
            isUsage: true);
    }

    private static void RefuseWithoutImages(SourceAddress address, ListedFolder folder)
    {
        var tops = folder.Contents.TopFolders.Select(f => Path.Combine(folder.Root, f));
        var below = tops.Where(f => ClevrFolder.IsOne(f) || SetsIn(f).Count > 0).ToList();
        if (below.Count > 0)
            throw new JepaException(
                $"{PrintableName.Of(folder.Root)} holds no image files; sets of images lie in the folders "
                    + $"{Wording.List(below.ConvertAll(folder.NameOf))}. "
                + $"Give one of them, such as {PrintableName.Of(below[0])}.",
                isUsage: true);
        if (FolderSet.FilesOf(folder.Root).Find(f => f.EndsWith(".tar.gz", StringComparison.OrdinalIgnoreCase)) is { } compressed)
            ImageSources.OpenShards(address, [compressed]).Dispose(); // which says what to do
    }

    /// <summary>Of files such as train-00000-of-00002.parquet those of one part; all files where their names tell no parts.</summary>
    private static IReadOnlyList<string> OfPart(string path, IReadOnlyList<string> tables, string? part)
    {
        static string PartOf(string file) => Path.GetFileName(file).Split('-', '.')[0];
        var parts = tables.Select(PartOf).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (part is null && (parts.Count == 1 || !parts.Contains(Train))) return tables;
        var chosen = tables.Where(t => PartOf(t) == (part ?? Train)).ToList();
        return chosen.Count > 0 ? chosen : throw NoPart(path, part!, string.Join(", ", parts));
    }

    private static List<FolderSet> SetsIn(string folder)
    {
        try
        {
            return FolderSet.In(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // It may not be listed, which is said where the folder is looked through.
        }
    }

    private static JepaException NoPart(string path, string part, string parts) =>
        new($"{path} has no part \"{part}\". Expected one of {parts}.", isUsage: true);
}
