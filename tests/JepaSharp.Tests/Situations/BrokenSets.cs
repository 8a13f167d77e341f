using System.Formats.Tar;
using System.Text;
using JepaSharp.Tests.Data;
using JepaSharp.Tests.Data.Sources.Columnar;
using JepaSharp.Tests.Weights;

namespace JepaSharp.Tests.Situations;

/// <summary>Sets of small images, some of which cannot be read, beside a model in the folder <c>whole</c>.</summary>
internal static class BrokenSets
{
    private static readonly byte[] Broken = [.. EncodedImages.Png(EncodedImages.Picture(36, 36)).AsSpan(0, 60)];

    /// <summary>20 images to fit on and 10 to score on, of two classes; one of each is broken.</summary>
    public static void Labelled(string folder)
    {
        Model(folder);
        Images(folder, "fit/cat", 10, 0);
        Images(folder, "fit/dog", 9, 10);
        Images(folder, "test/cat", 4, 20);
        Images(folder, "test/dog", 5, 30);
        File.WriteAllBytes(Path.Combine(folder, "fit/dog/broken.png"), Broken);
        File.WriteAllBytes(Path.Combine(folder, "test/cat/broken.png"), Broken);
    }

    /// <summary>Two images of each of two classes to fit on and to score on; of one set those of the classes chosen are broken.</summary>
    public static void Damaged(string folder, string set, Func<string, bool> breaks)
    {
        Model(folder);
        foreach (var (name, kind) in new[] { ("fit/cat", 0), ("fit/dog", 10), ("test/cat", 20), ("test/dog", 30) })
        {
            Images(folder, name, 2, kind);
            if (!name.StartsWith(set, StringComparison.Ordinal) || !breaks(name[(set.Length + 1)..])) continue;
            foreach (var file in Directory.GetFiles(Path.Combine(folder, name))) File.WriteAllBytes(file, Broken);
        }
    }

    /// <summary>The same as lists, in which the broken ones are of no file.</summary>
    public static void Lists(string folder)
    {
        Labelled(folder);
        foreach (var set in (string[])["fit", "test"])
        {
            string[] images = [.. Directory.GetFiles(Path.Combine(folder, set), "*.png", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
            File.WriteAllLines(Path.Combine(folder, set + ".csv"), ["path,label,n", .. images.Select((path, i) =>
                $"{Path.GetRelativePath(folder, path)},{Path.GetFileName(Path.GetDirectoryName(path))},{i % 3}")]);
            foreach (var path in images.Where(path => path.EndsWith("broken.png", StringComparison.Ordinal))) File.Delete(path);
        }
    }

    public static void Model(string folder) => HuggingFaceBinTests.MakeBin(Path.Combine(folder, "whole"), 1);

    public static void Images(string folder, string name, int count, int kind)
    {
        var path = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        for (var i = 0; i < count; i++) File.WriteAllBytes(Path.Combine(path, $"{i}.png"), Picture(kind + i));
    }

    private static byte[] Picture(int kind) => EncodedImages.Png(EncodedImages.Picture(36, 36, kind));

    public static void Parquet(string folder, string name, int rows, int[] nulls, int kind)
    {
        int[] levels = [.. Enumerable.Range(0, rows).Select(i => nulls.Contains(i) ? 1 : 2)];
        CraftedColumn[] columns =
        [
            new(["image", "bytes"], [true, true], 6, levels, [.. Enumerable.Range(0, rows).Except(nulls).Select(
                i => CraftedColumn.Bytes(Picture(kind + i)))]),
            new(["label"], [true], 2, [.. Enumerable.Repeat(1, rows)], [.. Enumerable.Range(0, rows).Select(i => CraftedColumn.Whole(i % 2))]),
        ];
        File.WriteAllBytes(Path.Combine(folder, name), CraftedParquet.Of(new([rows], false, false, false, false, true), [columns]));
    }

    public static void Tar(string folder, string name, int images, int kind)
    {
        using var tar = new TarWriter(File.Create(Path.Combine(folder, name)), TarEntryFormat.Ustar);
        for (var i = 0; i < images; i++)
        {
            Add($"{i}.png", i == 0 ? Broken : Picture(kind + i));
            Add($"{i}.cls", Encoding.UTF8.GetBytes(i % 2 == 0 ? "cat" : "dog"));
        }

        void Add(string member, byte[] bytes) =>
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, member) { DataStream = new MemoryStream(bytes) });
    }
}
