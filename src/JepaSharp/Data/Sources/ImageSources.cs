using System.Globalization;
using JepaSharp.Data.Sources.Annotated;
using JepaSharp.Data.Sources.Binary;
using JepaSharp.Data.Sources.Columnar;
using JepaSharp.Data.Sources.Lists;
using JepaSharp.Data.Sources.Packing;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Data.Sources.Shards;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>Opens whatever a path names.</summary>
public static class ImageSources
{
    private const string ScenesPrefix = "scenes:";
    private const int SceneSize = 64;

    /// <summary>
    /// The images that a path names: a folder, a CSV, TSV or TXT list, a JSON file of annotations, tar shards, Parquet, IDX, CIFAR's binary files,
    /// CLEVR or a folder of rendered scenes, a pack, or <c>scenes:COUNT</c>. Options may follow a '#', as in
    /// <c>labels.csv#label=kind&amp;where=split=dev</c> (docs/data.md).
    /// </summary>
    /// <param name="path">A path, perhaps with options.</param>
    /// <exception cref="JepaException">The path is missing, is nothing of the kind, or an option means nothing for it.</exception>
    public static ImageSource Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var address = SourceAddress.Parse(path);
        var source = OpenWhole(address);
        if (address.Only is { } only) source = NamedSubset.Of(source, only);
        return address.Shares.Aggregate(source, (whole, share) => HeldOutShare.OfPart(whole, share.Share, share.HeldOut));
    }

    private static ImageSource OpenWhole(SourceAddress address)
    {
        var path = address.Path;
        if (path.StartsWith(ScenesPrefix, StringComparison.Ordinal) && !Path.Exists(path)) return OpenScenes(address);
        if (ShardPattern.IsOne(path) && !Path.Exists(path)) return OpenShards(address, ShardPattern.Expand(path));
        if (RegularFile.IsFolder(path)) return SourceFolder.Open(address);
        if (RegularFile.Exists(path)) return OpenFile(address);
        throw new JepaException(
            $"{path} {Absence.Of(path)}. Expected a folder of images, a list, tar shards, Parquet, or another set of images: check the path.",
            isUsage: true);
    }

    private static ImageSource OpenFile(SourceAddress address)
    {
        var path = address.Path;
        var name = Path.GetFileName(path).ToLowerInvariant();
        if (Absence.IsDangling(path)) throw new JepaException($"{path} {Absence.Of(path)}.", isUsage: true);
        var foreign = ForeignContent.OfFile(path);
        if (foreign is { StandsIn: true }) throw new JepaException($"{path} is {foreign.What}: {foreign.Remedy}.", isUsage: true);
        if (name.EndsWith(".csv", StringComparison.Ordinal) || name.EndsWith(".tsv", StringComparison.Ordinal) || name.EndsWith(
            ".txt", StringComparison.Ordinal))
        {
            address.Allow("a list", label: true, where: true, images: true);
            return new ImageList(path, address.Label, address.Where, images: address.Images);
        }

        if (name.EndsWith(".json", StringComparison.Ordinal))
        {
            address.Allow("a file of annotations", label: true, images: true);
            return new AnnotatedImages(path, address.Label, images: address.Images);
        }

        if (name.EndsWith(".tar", StringComparison.Ordinal) || name.EndsWith(".tar.gz", StringComparison.Ordinal) || name.EndsWith(
            ".tgz", StringComparison.Ordinal))
            return OpenShards(address, [path]);
        if (name.EndsWith(".parquet", StringComparison.Ordinal)) return OpenParquet(address, [path]);
        if (name.EndsWith(PackWriter.Extension, StringComparison.Ordinal))
        {
            address.Allow("a pack");
            return new PackedImages(path);
        }

        if (CifarLayout.OfFile(path) is not null)
        {
            address.Allow("a file of CIFAR", label: true);
            return new CifarBinary([path], address.Label);
        }

        if (IdxImages.IsOne(path))
        {
            address.Allow("a file of IDX");
            return new IdxImages(path);
        }

        if (foreign?.Unpack is not null) throw new JepaException($"{path} is {foreign.What}, which is not read as it is: {foreign.Remedy}.",
            isUsage: true);
        throw new JepaException(
            $"{path} is a file that holds no set of images. Expected a folder, .csv, .tsv or .txt, .json, .tar, .parquet, .jepapack, CIFAR's .bin, "
                + $"or IDX such as train-images-idx3-ubyte.gz; for single images give the folder they lie in.", isUsage: true);
    }

    internal static ImageSource OpenShards(SourceAddress address, IReadOnlyList<string> paths)
    {
        address.Allow("tar shards", label: true);
        if (paths.Where(p => !RegularFile.Exists(p)).ToList() is { Count: > 0 } missing)
            throw new JepaException(
                $"{missing.Count:N0} of the {paths.Count:N0} shards of {address.Path} do not exist: "
                    + $"{string.Join(", ", missing.Take(5))}{(missing.Count > 5 ? ", ..." : "")}.", isUsage: true);
        return new TarShards(paths, address.Path, address.Label);
    }

    internal static ImageSource OpenParquet(SourceAddress address, IReadOnlyList<string> paths)
    {
        address.Allow("Parquet", label: true, part: true, image: true);
        return new ParquetImages(paths, address.Path, address.Label, image: address.Image);
    }

    private static ScenesSource OpenScenes(SourceAddress address)
    {
        address.Allow("the built-in scenes", numbers: true);
        if (!int.TryParse(address.Path[ScenesPrefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count < 1)
            throw new JepaException($"{address.Path}: expected a number of scenes, as in scenes:8000.", isUsage: true);
        var size = address.Numbers.GetValueOrDefault("size", SceneSize);
        var width = address.Numbers.GetValueOrDefault("width", size);
        foreach (var (name, side) in new[] { ("size", size), ("width", width) })
            if (side is < 8 or > 2048) throw new JepaException($"{name}={side}: a scene is 8 to 2048 pixels to a side.", isUsage: true);
        return new ScenesSource((ulong)address.Numbers.GetValueOrDefault("seed"), count, width, size, address.Numbers.GetValueOrDefault("first"));
    }
}
