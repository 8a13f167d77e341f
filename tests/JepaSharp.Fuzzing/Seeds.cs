using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using JepaSharp.Configuration;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Packing;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Tests.Data.Sources.Columnar;
using Parquet;
using Parquet.Schema;

namespace JepaSharp.Fuzzing;

/// <summary>Small sound inputs, from which a fuzzer sets out.</summary>
internal static class Seeds
{
    private static readonly CompressionMethod[] Codecs =
    [
        CompressionMethod.Snappy, CompressionMethod.None, CompressionMethod.Gzip, CompressionMethod.Zstd, CompressionMethod.Brotli,
        CompressionMethod.LZ4,
    ];

    public static int Write(string folder)
    {
        foreach (var target in ReaderTarget.All)
        {
            var to = Directory.CreateDirectory(Path.Combine(folder, target.Name)).FullName;
            foreach (var (name, bytes) in Of(target.Name)) File.WriteAllBytes(Path.Combine(to, name), bytes);
            using var place = new ScratchFile(target.FileName);
            foreach (var path in Directory.GetFiles(to))
                Console.WriteLine($"{Path.GetRelativePath(folder, path)}: {target.Execute(place, File.ReadAllBytes(path)) ?? "read"}");
        }

        return 0;
    }

    /// <summary>A reader's sound inputs.</summary>
    public static IEnumerable<(string Name, byte[] Bytes)> Of(string target) => target switch
    {
        "pickle" =>
            [("dictionary", Pickle), (
                "numbers", [0x80, 2, (byte)']', (byte)'q', 0, (byte)'(', (byte)'K', 1, (byte)'M', 2, 1, (byte)'J', 1, 2, 3, 4, 0x8a, 1, 5, (byte)'G',
                    1, 2, 3, 4, 5, 6, 7, 8, 0x88, 0x89, (byte)'N', (byte)'e', (byte)'.'])],
        "zip" => [("checkpoint", Archive(("a/data.pkl", Pickle), ("a/byteorder", "little"u8.ToArray()), ("a/data/0", new byte[16])))],
        "safetensors" =>
            [("two", Safetensors("""{"__metadata__":{"heads":"3"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[16,18]}}""", 18))],
        "tar" => [("shard", Shard()), ("links", LinkedShard())],
        "annotations" =>
            [("pictures", """{"images":[{"id":1,"file_name":"a.png"}],"annotations":[{"image_id":1,"category_id":2}],"categories":[{"id":2,"name":"cat","supercategory":"pet"}]}"""u8.ToArray())],
        "content" =>
            [("pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"u8.ToArray()),
                ("page", "<!DOCTYPE html><html></html>"u8.ToArray()), ("archive", [.. "PK"u8, 3, 4])],
        "parquet" =>
            [.. Crafted(), .. Codecs.Select(m => ($"rows-{m}", Table(m)))],
        "idx" => [("images", [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3, .. new byte[18]])],
        "cifar" => [("record", [3, .. new byte[3072]])],
        "pack" => [("pack", Pack())],
        "list" =>
            [("list", "path,label,split\na.png,cat,train\n\"b, c.png\",dog,dev\n"u8.ToArray()), ("tabs", "image\tclass\na.png\t1\n"u8.ToArray())],
        "yaml" =>
            [("defaults", Encoding.UTF8.GetBytes(new PretrainOptions().ToYaml())), (
                "short", "data: {batch_size: 8, mean: [0.1, 0.2, 0.3]}\noptimization:\n  ema: [0.9, 1.0]\n  lr: 1e-3\n"u8.ToArray())],
        "json" => [("scenes", Annotations())],
        "image" =>
            [("png", Png()), ("gif", Convert.FromBase64String("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=")), ("bmp", Bmp()), .. Encoded()],
        _ => [],
    };

    /// <summary>{"epoch": 5, "names": ["a"], "pair": (1, None)}, protocol 2.</summary>
    private static byte[] Pickle =>
    [
        0x80, 2, (byte)'}', (byte)'q', 0, (byte)'(',
        (byte)'X', 5, 0, 0, 0, .. "epoch"u8, (byte)'K', 5,
        (byte)'X', 5, 0, 0, 0, .. "names"u8, (byte)']', (byte)'q', 1, (byte)'X', 1, 0, 0, 0, (byte)'a', (byte)'a',
        (byte)'X', 4, 0, 0, 0, .. "pair"u8, (byte)'K', 1, (byte)'N', 0x86,
        (byte)'u', (byte)'.',
    ];

    private static byte[] Archive(params (string Name, byte[] Content)[] files)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in files)
            {
                using var entry = archive.CreateEntry(name, CompressionLevel.NoCompression).Open();
                entry.Write(content);
            }
        }

        return stream.ToArray();
    }

    private static byte[] Safetensors(string header, int data)
    {
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        return [.. length, .. Encoding.UTF8.GetBytes(header), .. new byte[data]];
    }

    private static byte[] Shard()
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var (name, content) in new[] { ("1.png", Png()), ("1.cls", "3"u8.ToArray()), ("2.png", Png()), (
                "2.json", """{"label": 1}"""u8.ToArray()) })
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
        }

        return stream.ToArray();
    }

    /// <summary>Names with dots, what a Mac adds, links, and members of a sample apart from each other.</summary>
    private static byte[] LinkedShard()
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var (name, content) in new[] { ("d/a.1.png", Png()), ("d/._a.1.png", [0, 5, 0x16, 7]), ("d/a.2.png", Png()),
                ("d/a.1.cls", "3"u8.ToArray()), ("d/a.2.cls", "4"u8.ToArray()) })
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
            tar.WriteEntry(new UstarTarEntry(TarEntryType.SymbolicLink, "e/b.png") { LinkName = "../d/a.1.png" });
            tar.WriteEntry(new UstarTarEntry(TarEntryType.HardLink, "e/b.cls") { LinkName = "d/a.1.cls" });
            tar.WriteEntry(new UstarTarEntry(TarEntryType.SymbolicLink, "e/c.png") { LinkName = "c.png" });
        }

        return stream.ToArray();
    }

    /// <summary>A structure with nulls in it, two columns of images, in pages of both versions.</summary>
    private static IEnumerable<(string Name, byte[] Bytes)> Crafted()
    {
        CraftedColumn Column(string name) =>
            new([name, "bytes"], [true, true], 6, [2, 1, 0, 2], [CraftedColumn.Bytes(Png()), CraftedColumn.Bytes(Png())]);
        CraftedColumn[] columns = [Column("thumb"), Column("image"), new(
            ["label"], [true], 2, [1, 0, 1, 1], [CraftedColumn.Whole(0), CraftedColumn.Whole(1), CraftedColumn.Whole(1)])];
        foreach (var isSecond in (bool[])[false, true])
            foreach (var hasDictionary in (bool[])[false, true])
                yield return ($"crafted-{isSecond}-{hasDictionary}", CraftedParquet.Of(
                    new([3], isSecond, hasDictionary, isSecond, hasDictionary, true), [columns, columns]));
    }

    private static byte[] Table(CompressionMethod compression)
    {
        using var stream = new MemoryStream();
        var schema = new ParquetSchema(new DataField<byte[]>("img"), new DataField<long?>("label"));
        Task.Run(async () =>
        {
            await using var writer = await ParquetWriter.CreateAsync(schema, stream, new ParquetOptions { CompressionMethod = compression });
            using var group = writer.CreateRowGroup();
            await group.WriteAsync(schema.DataFields[0], (byte[]?[])[Png(), Png()]!);
            await group.WriteAsync<long>(schema.DataFields[1], new long?[] { 0, 1 }.AsMemory());
        }).GetAwaiter().GetResult();
        return stream.ToArray();
    }

    private static byte[] Pack()
    {
        var folder = Directory.CreateTempSubdirectory("jepasharp-seed-").FullName;
        try
        {
            var path = Path.Combine(folder, "seed.jepapack");
            using var scenes = ImageSources.Open("scenes:2#size=8");
            PackWriter.Write(scenes, path, new PackOptions());
            return File.ReadAllBytes(path);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static byte[] Annotations()
    {
        var folder = Directory.CreateTempSubdirectory("jepasharp-seed-").FullName;
        try
        {
            SceneFolder.Write(folder, 2, 12, 8, seed: 0);
            return File.ReadAllBytes(Path.Combine(folder, SceneFolder.AnnotationFile));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static byte[] Png() =>
        Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");

    private static byte[] Bmp() =>
        [(byte)'B', (byte)'M', 58, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 24, 0, 0, 0, 0, 0, 4, 0, 0, 0,
            .. new byte[16], 1, 2, 3, 0];

    private static IEnumerable<(string Name, byte[] Bytes)> Encoded()
    {
        using var scene = ImageSources.Open("scenes:1#size=16");
        using var opened = scene.Open(0);
        var image = opened.Decode();
        using var plain = NetVips.Image.NewFromMemoryCopy<byte>(image.Pixels, image.Width, image.Height, 3, NetVips.Enums.BandFormat.Uchar);
        using var rgb = plain.Copy(interpretation: NetVips.Enums.Interpretation.Srgb);
        yield return ("jpeg", rgb.WriteToBuffer(".jpg"));
        yield return ("webp", rgb.WriteToBuffer(".webp"));
        yield return ("tiff", rgb.WriteToBuffer(".tif"));
    }
}
