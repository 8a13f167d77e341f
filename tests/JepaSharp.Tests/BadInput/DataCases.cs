using System.Formats.Tar;

namespace JepaSharp.Tests.BadInput;

/// <summary>Images that are missing, damaged or hostile.</summary>
internal static class DataCases
{
    public static IEnumerable<BadCase> All =>
    [
        new("images that are not there", 2, "DIR/none does not exist", "pretrain --data DIR/none --out DIR/run"),
        new("a folder without images", 2, "DIR", "pretrain --data DIR --out DIR/run"),
        new("a folder of other files", 2, "DIR", "pretrain --data DIR --out DIR/run", Photos.Text("notes.txt", "x")),
        new("a single image", 2, "give the folder", "pretrain --data DIR/a.png --out DIR/run", Photos.File1("a.png", Photos.Png)),
        new("a file of no images", 2, "holds no set of images", "pretrain --data DIR/a.doc --out DIR/run", Photos.Text("a.doc", "x")),
        new("images none of which can be read", 2, "can be read", "pretrain --data DIR --out DIR/run", Photos.Text("a.png", "no picture")),
        new("images that are empty", 2, "can be read", "pretrain --data DIR --out DIR/run", Photos.File1("a.png", [])),
        new("images cut short", 1, "cut short", "pretrain --data DIR --out DIR/run", folder =>
        {
            foreach (var name in (string[])["a.png", "b.png"]) File.WriteAllBytes(Path.Combine(folder, name), Photos.Png[..60]);
        }),
        new("an image of a billion pixels", 2, "pixels", "pretrain --data DIR --out DIR/run", Photos.File1("a.png", Bomb())),
        new("a path of images that is empty", 2, "empty", "inspect EMPTY"),
        new("an unknown word after the path", 2, "labl", "pretrain --data DIR#labl=x --out DIR/run", Photos.Make),
        new("a word without a value after the path", 2, "label", "pretrain --data DIR#label= --out DIR/run", Photos.Make),
        new("a share of everything", 2, "test-share", "pretrain --data DIR#test-share=1 --out DIR/run", Photos.Make),
        new("a share that is no number", 2, "test-share", "pretrain --data DIR#test-share=half --out DIR/run", Photos.Make),
        new("a column of something that has none", 2, "where=", "pretrain --data DIR#where=a=b --out DIR/run", Photos.Make),
        new("no scenes", 2, "scenes:0", "pretrain --data scenes:0 --out DIR/run"),
        new("scenes beyond number", 2, "scenes:many", "pretrain --data scenes:many --out DIR/run"),
        new("scenes too large", 2, "size=", "pretrain --data scenes:4#size=100000 --out DIR/run"),
        new("scenes too wide", 2, "width=", "pretrain --data scenes:4#width=100000 --out DIR/run"),
        new("a list without paths", 2, "images.csv", "pretrain --data DIR/images.csv --out DIR/run", Photos.Text("images.csv", "label,size\n1,2\n")),
        new("a list of nothing", 2, "images.csv", "pretrain --data DIR/images.csv --out DIR/run", Photos.Text("images.csv", "")),
        new("a list with a header alone", 2, "images.csv", "pretrain --data DIR/images.csv --out DIR/run", Photos.Text("images.csv", "path,label\n")),
        new("a list with a row too short", 2, "images.csv", "pretrain --data DIR/images.csv --out DIR/run", Photos.Text(
            "images.csv", "path,label\na.png,1\nb.png\n")),
        new("a list with a quote left open", 2, "images.csv", "pretrain --data DIR/images.csv --out DIR/run", Photos.Text(
            "images.csv", "path,label\n\"a.png,1\n")),
        new("a list of images that are not there", 2, "", "pretrain --data DIR/images.csv --out DIR/run", Photos.Text(
            "images.csv", "path,label\nnone.png,1\n")),
        new("a list with a label that it lacks", 2, "kind", "pretrain --data DIR/images.csv#label=kind --out DIR/run", Photos.Text(
            "images.csv", "path,label\na.png,1\n")),
        new("a shard of nothing", 2, "shard.tar", "pretrain --data DIR/shard.tar --out DIR/run", Photos.File1("shard.tar", [])),
        new("a shard of zeros", 2, "shard.tar", "pretrain --data DIR/shard.tar --out DIR/run", Photos.File1("shard.tar", new byte[10240])),
        new("a shard of noise", 2, "shard.tar", "pretrain --data DIR/shard.tar --out DIR/run", Photos.Text("shard.tar", new string('x', 5000))),
        new("a shard that is compressed", 2, "compressed", "pretrain --data DIR/shard.tar.gz --out DIR/run", Photos.File1(
            "shard.tar.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0])),
        new("shards that are not there", 2, "shards", "pretrain --data DIR/s-{0..3}.tar --out DIR/run"),
        new("a shard whose image claims 270 megabytes", 2, "", "pretrain --data DIR/shard.tar --out DIR/run", HugeMember),
        new("a shard whose members lead out of it", 2, "", "pretrain --data DIR/shard.tar --out DIR/run", Traversal),
        new("Parquet of nothing", 2, "p.parquet", "pretrain --data DIR/p.parquet --out DIR/run", Photos.File1("p.parquet", [])),
        new("Parquet of noise", 2, "p.parquet", "pretrain --data DIR/p.parquet --out DIR/run", Photos.Text(
            "p.parquet", "PAR1" + new string('x', 500) + "PAR1")),
        new("Parquet cut short", 2, "p.parquet", "pretrain --data DIR/p.parquet --out DIR/run", folder => File.WriteAllBytes(
            Path.Combine(folder, "p.parquet"), File.ReadAllBytes(Fixtures.PathOf("huggingface.parquet"))[..2000])),
        new("Parquet whose footer claims a list of a billion", 2, "claims more than there is", "pretrain --data DIR/p.parquet --out DIR/run",
            Photos.File1("p.parquet", [.. "PAR1"u8, 0x15, 2, 0x19, 0xfc, 0x80, 0x94, 0xeb, 0xdc, 3, 0, 10, 0, 0, 0, .. "PAR1"u8])),
        new("Parquet whose page claims statistics of 270 megabytes", 2, "claims more than there is", "pretrain --data DIR/p.parquet --out DIR/run",
            Photos.File1("p.parquet", Convert.FromBase64String(
                "UEFSMRUAFbQCFawBLBUEFQAVBhUGHDYAAAAAmgF0AgAAAAQBRgAAAIlQTkcNChoKAAAADUlIRFIAAAABAQQkCAYAAAAfFcSJAAEZfERBVHjaY2T4z1APAAOGAYBaNH1rAAA"
                    + "AAElFTkSuQmCC/koAGUoVABUsFTAsFQQVABUGFQYcGAgBAAAAAAAAABgIAAAAAAAAAAAWACgIAQAAAAAAAAAY9P///wAAAAAAAAAAFlQCAAAABAEAAAAAFQIZPEgE"
                    + "cm9vdBUEABUMJQIYA2ltZwAVBCUCGAVsYWJlbCUkTKwTQBEAAAAWBBkcGSwmCBwVDBklAAYZGANpbWcVAhYEFuICFtoBJgg8NgAAAAAm4gEcFQQZJQAGGRgFbGFiZ"
                    + "WwVAhYEFqYBFqoBJuIBPBgIAQAAAAAAAAAYCAAAAAAAAAAAFgAoCAEAAAAAAAAAGAgAAAAAAAAAAAAAABaIBBYENoQDAChKUGFycXVldC5OZXQgdmVyc2lvbiA2Lj"
                    + "EuMCAoYnVpbGQgYzE3OWQ5N2JkMiE0OWI1ZjQ0YTkyNDFlNzI5Zjg2OWQ0OTQ3ZWU1OSkA9gAAAFBBUjE="))),
        new("Parquet whose footer has a truth value in place of a name", 2, "a Truth where a Text has to be",
            "pretrain --data DIR/p.parquet --out DIR/run",
            Photos.File1("p.parquet", Convert.FromBase64String(
                "UEFSMRUAFbQCFawBLBUEFQAVBhUGHDYAAAAAmgF0AgAAAAQBRgAAAACAAEcNChoKAAAADUlIRFIAAAABAQQkCAYAAAAfFcSgAAEZfERBVHjaY2T4z1APAAOGAYBaNH1rAAA"
                    + "AAElFTkSuQmCC/koAGUoVABUsFTAsFQQVABUGFQYcGAgB/wAAAAAAABgIAAAAAAAAAAD3/ygIAQAAAEsAAAAYCAAAAAAAAAAAAAAAFlQCAAAABAEAAAAAFQIZPEgE"
                    + "cm9vdBUEAJKSkpKSkpKSkpKSkpKSkpKSkpKSFQwlAhgDaW1nABUEJQIYBWxhYmVsJSRMrBNAEQAAABYEGRwZLCYIHBUMGSUABhkYA2ltZxUCFgQW4gIW2gEmCDw2A"
                    + "AAAACbvARwVBBklAAYZGAVsYWJlbBUCFgQWpgEWqgEm4gE8GAgB5////wAAABgIAAAAAAAAAAAWACgIAQAAAAAAAAAYCAAAAAAAAAAAAAAAFogEFgQ2hAMAKEpQYX"
                    + "JxdWV0Lk5ldCB2ZXJzaW9uIDYuMS4wIChidWlsZCBjMTc5ZDk3YmQyNTQ5YjVmNDRhOTI0MWU3MjlmODY5ZDQ5NDdlZTU5KQD2AAAAUEFSMQ=="))),
        new("Parquet whose page claims 270 megabytes once unpacked", 2, "claims 268,435,455 once unpacked",
            "pretrain --data DIR/p.parquet --out DIR/run",
            Photos.File1("p.parquet", Convert.FromBase64String(
                "UEFSMRUAFbQCFawBLBUEFQAVBhUGHDYAAAAA////fwAAAAQBRgAAAIlQTkcNChoKAAAADUlIRFIAAAABAQQkCAYAAAAfFcSJAAEZfERBVHjaY2T4z1APAAOGAYBaNH1rAAA"
                    + "AAElFTkSuQmCC/koAGUoVABUsFTAsFQQVABUGFQYcGAgBAAAAAAAAABgIAAAAAAAAAAAWACgIAQAAAAAAAAAYCAAAAAAAAAAAAAAAFlQCAAAABAEAAAAAAAAAAAEA"
                    + "AAAAAAAAFQIZPEgEcm9vdBUEABUMJQIYA2ltZwAVBCUCGAVsYWJlbCUkTKwTQBEAAAAWBBkcGSwmCBwVDBklAAYZGANpbWcVAhYEFuICFtoBJgg8NgAAAAAm4gEcF"
                    + "QQZJQAGGRgFbGFiZWwVAhYEFqYBFqoBJuIBPBgIAQAAAAAAAAAYCAAAAAAAAAAAFgAoCAEAAAAAAAAAGAgAAAAAAAAAAAAAABaIBBYENoQDAChKUGFycXVldC5OZX"
                    + "QgdmVyc2lvbiA2LjEuMCAoYnVpbGQgYzE3OWQ5N2JkMjU0OWI1ZjQ0YTkyNDFlNzI5Zjg2OWQ0OTQ3ZWU1OSkA9gAAAFBBUjE="))),
        new("IDX of nothing", 2, "train-images-idx3-ubyte", "pretrain --data DIR/train-images-idx3-ubyte --out DIR/run", Photos.File1(
            "train-images-idx3-ubyte", [])),
        new("IDX that claims a billion images", 2, "train-images-idx3-ubyte", "pretrain --data DIR/train-images-idx3-ubyte --out DIR/run",
            Photos.File1("train-images-idx3-ubyte", [0, 0, 8, 3, 0x40, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 28, 1, 2, 3])),
        new("IDX of noise in gzip's name", 2, "train-images-idx3-ubyte.gz", "pretrain --data DIR/train-images-idx3-ubyte.gz --out DIR/run",
            Photos.Text("train-images-idx3-ubyte.gz", "no gzip")),
        new("CIFAR cut short", 2, "data_batch_1.bin", "pretrain --data DIR/data_batch_1.bin --out DIR/run", Photos.File1(
            "data_batch_1.bin", new byte[3000])),
        new("a data set of one image", 2, "one image", "pretrain --data DIR/data_batch_1.bin --out DIR/run", Photos.File1(
            "data_batch_1.bin", [77, .. new byte[3072]])),
        new("a pack of noise", 2, "p.jepapack", "pretrain --data DIR/p.jepapack --out DIR/run", Photos.Text("p.jepapack", new string('x', 500))),
        new("a pack cut short", 2, "p.jepapack", "pretrain --data DIR/p.jepapack --out DIR/run", Photos.Text("p.jepapack", "JEPAPACK")),
        new("test images that are not there", 2, "DIR/none", "pretrain --data DIR --set data.test_path=DIR/none --out DIR/run", Photos.Make),
        new("more images a batch than there are", 2, "batch", "pretrain --data DIR --set data.batch_size=512 --out DIR/run", Photos.Make),
    ];

    /// <summary>A PNG whose header says 40,000 by 40,000.</summary>
    private static byte[] Bomb()
    {
        byte[] bytes = [.. Photos.Png];
        bytes[16] = bytes[17] = bytes[20] = bytes[21] = 0;
        (bytes[18], bytes[19], bytes[22], bytes[23]) = (0x9c, 0x40, 0x9c, 0x40);
        var crc = System.IO.Hashing.Crc32.HashToUInt32(bytes.AsSpan(12, 17));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(29), crc);
        return bytes;
    }

    private static void HugeMember(string folder)
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, TarEntryFormat.Ustar, leaveOpen: true))
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "1.png") { DataStream = new MemoryStream(Photos.Png) });
        var bytes = stream.ToArray();
        "02000000106\0"u8.CopyTo(bytes.AsSpan(124));
        bytes.AsSpan(148, 8).Fill((byte)' ');
        var sum = bytes.AsSpan(0, 512).ToArray().Sum(b => b);
        System.Text.Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(bytes, 148);
        File.WriteAllBytes(Path.Combine(folder, "shard.tar"), bytes);
    }

    private static void Traversal(string folder)
    {
        using var stream = File.Create(Path.Combine(folder, "shard.tar"));
        using var tar = new TarWriter(stream, TarEntryFormat.Ustar);
        tar.WriteEntry(new UstarTarEntry(TarEntryType.SymbolicLink, "1.png") { LinkName = "/etc/passwd" });
        tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "../../escaped.png") { DataStream = new MemoryStream("no picture"u8.ToArray()) });
    }
}
