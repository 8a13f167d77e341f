using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources.Binary;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>Tells by the files that lie directly in a folder what set of images it is.</summary>
internal static class SourceFolder
{
    private const string Train = "train";

    /// <summary>Opens a folder: CLEVR or rendered scenes, IDX, CIFAR, tar shards, Parquet, else a folder of image files.</summary>
    /// <exception cref="JepaException">It holds no images, or not the part asked for.</exception>
    public static ImageSource Open(SourceAddress address)
    {
        var path = address.Path;
        if (ClevrFolder.IsOne(path))
        {
            address.Allow("a folder of scenes", label: true, part: true);
            return new ClevrImages(path, address.Part, address.Label);
        }

        var files = FilesOf(path);
        var part = address.Part ?? Train;
        if (files.Exists(IdxImages.IsOne))
        {
            address.Allow("a folder of IDX", part: true);
            return new IdxImages(IdxImages.Find(files, part) ?? throw NoPart(path, part, "train and test"));
        }

        if (files.Exists(f => CifarLayout.OfFile(f) is not null))
        {
            address.Allow("a folder of CIFAR", label: true, part: true);
            return CifarLayout.Find(files, part) is { Count: > 0 } found ? new CifarBinary(found, address.Label) : throw NoPart(path, part, "train and test");
        }

        if (!files.Exists(IsImage))
        {
            if (Ending(files, ".tar") is { Count: > 0 } shards) return ImageSources.OpenShards(address, shards);
            if (ParquetOf(path, files) is { Count: > 0 } tables) return ImageSources.OpenParquet(address, OfPart(path, tables, address.Part));
            if (Ending(files, ".tar.gz").FirstOrDefault() is { } compressed) return ImageSources.OpenShards(address, [compressed]); // which says what to do
        }

        address.Allow("a folder of images");
        return new ImageFolder(path);
    }

    // Hugging Face keeps the files of a data set in a folder named data.
    private static List<string> ParquetOf(string path, List<string> files)
    {
        const string ending = ".parquet";
        if (Ending(files, ending) is { Count: > 0 } here) return here;
        var below = Path.Combine(path, "data");
        return Directory.Exists(below) ? Ending(FilesOf(below), ending) : [];
    }

    /// <summary>Of files such as train-00000-of-00002.parquet those of one part; all files where their names tell no parts.</summary>
    private static List<string> OfPart(string path, List<string> tables, string? part)
    {
        static string PartOf(string file) => Path.GetFileName(file).Split('-', '.')[0];
        var parts = tables.Select(PartOf).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (part is null && (parts.Count == 1 || !parts.Contains(Train))) return tables;
        var chosen = tables.Where(t => PartOf(t) == (part ?? Train)).ToList();
        return chosen.Count > 0 ? chosen : throw NoPart(path, part!, string.Join(", ", parts));
    }

    private static List<string> FilesOf(string path)
    {
        try
        {
            return [.. Directory.EnumerateFiles(path).Where(f => !Path.GetFileName(f).StartsWith('.')).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JepaException($"{path} cannot be listed: {e.Message} Check that it can be read.", isUsage: true, e);
        }
    }

    private static List<string> Ending(List<string> files, string ending) => [.. files.Where(f => f.EndsWith(ending, StringComparison.OrdinalIgnoreCase))];

    private static bool IsImage(string file) => ImageFileFormat.Extensions.Contains(Path.GetExtension(file).TrimStart('.').ToLowerInvariant());

    private static JepaException NoPart(string path, string part, string parts) => new($"{path} has no part \"{part}\". Expected one of {parts}.", isUsage: true);
}
