using System.Formats.Tar;
using JepaSharp.Tests.BadInput;
using JepaSharp.Tests.Data;
using JepaSharp.Tests.Data.Sources.Columnar;

namespace JepaSharp.Tests.Situations;

/// <summary>Tar shards, Parquet, lists and annotations: an image has its own pixels and label, and what is left out is said.</summary>
[Collection(Lanes.Commands)]
public sealed class ShardAndTableSituations : SituationTests
{
    private const string Pointer =
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
    private const string Page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n";

    private static readonly string Built = Path.Combine(AppContext.BaseDirectory, "jepa.dll");
    private static readonly string AsNobody = $"su nobody -s /bin/sh -c \"DOTNET_CLI_HOME=/tmp HOME=/tmp dotnet '{Built}'";

    private static readonly byte[][] Pictures = [.. Enumerable.Range(0, 8).Select(i => EncodedImages.Png(EncodedImages.Picture(16, 16, i)))];

    private static readonly Situation[] Table =
    [
        new("Parquet with a null in place of an image", "jepa inspect --all six.parquet", 0, "6 images, 6 classes",
            "six.parquet[2]: the row has no image bytes.", "rows without image bytes in image: 1 of 6", "broken: 1")
        {
            Build = folder => Table6(folder, "six.parquet", [2]),
        },
        new("Parquet of paths alone", "jepa inspect six.parquet", 0,
            "no row has image bytes in image; a data set stored with paths alone cannot be read")
        {
            Build = folder => Table6(folder, "six.parquet", [0, 1, 2, 3, 4, 5]),
            Never = ["the file is empty"],
        },
        new("Parquet with two columns of images", "jepa inspect two.parquet", 0,
            "of the 2 columns of images, image and thumb, image is taken; '#image=COLUMN'", "width            16")
        {
            Build = TwoImages,
        },
        new("Parquet with two columns of images, the other asked for", "jepa inspect 'two.parquet#image=thumb'", 0,
            "width             8") { Build = TwoImages, Never = ["note:"] },
        new("a column of images asked of a folder", "jepa inspect 'photos#image=x'", 2,
            "\"image=\" means nothing for photos") { Build = folder =>
                Photos.Make(Directory.CreateDirectory(Path.Combine(folder, "photos")).FullName) },
        new("a shard of names with dots", "jepa inspect dots.tar", 0, "6 images, 3 classes", "share their name up to the first dot")
        {
            Build = folder =>
                Tar(folder, "dots.tar", [.. Enumerable.Range(0, 6).SelectMany(
                    i => Sample($"cam1.2024.{i:d4}", i, ((string[])["cat", "dog", "eel"])[i % 3]))]),
            Check = (_, said) => Assert.Equal(3, said.Split('\n').Count(l => l.TrimEnd().EndsWith("2  33.3%", StringComparison.Ordinal))),
        },
        new("a shard from a Mac", "jepa inspect --all mac.tar", 0, "8 images, 2 classes",
            "32 files found: 8 images and 8 files of labels taken; passed over: 16 files that a Mac adds", "broken: none")
        {
            Build = folder =>
                Tar(folder, "mac.tar", [.. Enumerable.Range(0, 8).SelectMany(i => Sample($"./{i:d6}", i, $"{i % 2}")).SelectMany(
                    m => new[] { (Twin(m.Name), new byte[150]), m })]),
        },
        new("a shard with what Windows, a NAS and pax leave", "jepa inspect --all s.tar", 0, "1 image, 1 class", "4 files found",
            "1 file of attributes (PaxHeaders), 1 that a NAS adds", "broken: none")
        {
            Build = folder => Tar(folder, "s.tar", [.. Sample("a", 0, "x"), ("@eaDir/a.jpg", new byte[9]), ("PaxHeaders.1/a.jpg", new byte[9])]),
        },
        new("a shard whose labels all come after its images", "jepa inspect s.tar", 0, "2 images, 2 classes", "no", "yes")
        {
            Build = folder =>
                Tar(folder, "s.tar", ("a.png", Pictures[0]), ("b.png", Pictures[1]), ("a.cls", "no"u8.ToArray()), ("b.cls", "yes"u8.ToArray())),
            Never = ["(no label)"],
        },
        new("a shard with two labels for an image", "jepa inspect s.tar", 0, "2 images", "1 image has several labels under its name",
            "(no label)")
        {
            Build = folder =>
                Tar(folder, "s.tar", [("a.png", Pictures[0]), ("a.fine.cls", "no"u8.ToArray()), ("a.coarse.cls", "yes"u8.ToArray()), .. Sample(
                    "b", 1, "x")]),
        },
        new("a shard with links inside", "jepa inspect --all s.tar", 0, "3 images, 2 classes", "2 files are links to others in their shard",
            "passed over: 1 file linked to no file in the shard", "broken: none") { Build = Linked },
        new("a shard of class folders", "jepa inspect s.tar", 0, "2 images, no classes",
            "the images lie in the folders cat, dog, which are no labels in a shard")
        {
            Build = folder => Tar(folder, "s.tar", ("cat/1.png", Pictures[0]), ("dog/1.png", Pictures[1])),
        },
        new("an archive compressed with gzip", "jepa inspect a.tar.gz", 2, "a.tar.gz is compressed with gzip",
            "Unpack it, with gunzip") { Build = Photos.File1("a.tar.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]) },
        new("a shard compressed with zstd under a tar's name", "jepa inspect a.tar", 2, "a.tar is compressed with zstd",
            "unzstd") { Build = Photos.File1("a.tar", [0x28, 0xb5, 0x2f, 0xfd, .. new byte[40]]) },
        new("a zip archive for images", "jepa inspect a.zip", 2, "a.zip is a zip archive",
            "unpack it (unzip) and give what is in it") { Build = Photos.File1("a.zip", [.. "PK"u8, 3, 4, .. new byte[40]]) },
        new("a 7z archive for images", "jepa inspect a.7z", 2, "a.7z is a 7z archive", "7z x") { Build = Photos.File1(
            "a.7z", [.. "7z"u8, 0xbc, 0xaf, 0x27, 0x1c, .. new byte[40]]) },
        new("a RAR archive for images", "jepa inspect a.rar", 2, "a.rar is a RAR archive", "unrar x") { Build = Photos.File1(
            "a.rar", [.. "Rar!"u8, 0x1a, 7, 1, .. new byte[40]]) },
        new("a git-lfs pointer for a shard", "jepa inspect a.tar", 2,
            "a.tar is a git-lfs pointer, not the file itself: fetch it with git lfs pull.") { Build = Photos.Text("a.tar", Pointer) },
        new("a git-lfs pointer for Parquet, in a folder", "jepa inspect d", 2,
            "train.parquet is no Parquet file but a git-lfs pointer, not the file itself: fetch it with git lfs pull.") { Build =
                Photos.Text("d/train.parquet", Pointer) },
        new("a git-lfs pointer for a list", "jepa inspect a.csv", 2, "a.csv is a git-lfs pointer") { Build = Photos.Text("a.csv", Pointer) },
        new("a git-lfs pointer for a pack", "jepa inspect a.jepapack", 2, "a.jepapack is a git-lfs pointer") { Build = Photos.Text(
            "a.jepapack", Pointer) },
        new("a web page for a shard", "jepa inspect a.tar", 2,
            "a.tar is a web page, not the file itself: download the file again") { Build = Photos.Text("a.tar", Page) },
        new("git-lfs pointers and a web page for images", "jepa inspect photos", 0, "0.jpg: the content is no JPEG",
            "it is a git-lfs pointer, not the file itself; fetch it with git lfs pull.", "1.jpg: the content", "it is a web page")
        {
            Build = folder =>
            {
                Photos.Make(Directory.CreateDirectory(Path.Combine(folder, "photos")).FullName);
                File.WriteAllText(Path.Combine(folder, "photos/0.jpg"), Pointer);
                File.WriteAllText(Path.Combine(folder, "photos/1.jpg"), Page);
            },
        },
        new("a list that names a folder, a link to nothing and nothing", "jepa inspect --all a.csv", 0, "sub.png: it is a folder, not a file.",
            "gone.png: it is a link to nowhere.png, which is not there.", "none.png: the file is not there")
        {
            Build = folder =>
            {
                Photos.Make(folder);
                Directory.CreateDirectory(Path.Combine(folder, "sub.png"));
                File.CreateSymbolicLink(Path.Combine(folder, "gone.png"), "nowhere.png");
                File.WriteAllText(Path.Combine(folder, "a.csv"), "path\nphoto-0.png\nsub.png\ngone.png\nnone.png\n");
            },
        },
        new("images that are a link to nothing", "jepa inspect a.tar", 2,
            "a.tar is a link to nowhere.tar, which is not there.") { Build = folder =>
                File.CreateSymbolicLink(Path.Combine(folder, "a.tar"), "nowhere.tar") },
        new("a list with two columns of labels", "jepa inspect a.csv", 0, "of the columns label and class, label is taken for the labels", "cat")
        {
            Build = folder =>
            {
                Photos.Make(folder);
                File.WriteAllText(Path.Combine(folder, "a.csv"), "name,class,path,label\nx,1,photo-0.png,cat\ny,2,photo-1.png,dog\n");
            },
        },
        new("annotations without ids", "jepa inspect a.json", 0, "2 images, no classes", "1 of 1 annotations name no category")
        {
            Build = folder =>
            {
                Photos.Make(folder);
                File.WriteAllText(Path.Combine(folder, "a.json"),
                    "{\"images\":[{\"id\":0,\"file_name\":\"photo-0.png\"},{\"id\":1,\"file_name\":\"photo-1.png\"}],\"annotations\":[{\"caption\":"
                        + "\"a cat\"}],\"categories\":[{\"id\":0,\"name\":\"cat\"}]}");
            },
        },
        new("annotations with two names for a category", "jepa inspect a.json", 2, "two categories with the id 3")
        {
            Build = Photos.Text("a.json", "{\"images\":[{\"id\":0,\"file_name\":\"p.png\"}],\"annotations\":[{\"image_id\":0,\"category_id\":3}],\"c"
                + "ategories\":[{\"id\":3,\"name\":\"cat\"},{\"id\":3,\"name\":\"dog\"}]}"),
        },
        new("a folder that may not be looked into", $"chmod 700 secret; {AsNobody} inspect $PWD/secret/a.tar\"", 2,
            "secret/a.tar cannot be seen: there is no permission to look into the folder it lies in")
        {
            Build = folder => Tar(Directory.CreateDirectory(Path.Combine(folder, "secret")).FullName, "a.tar", [.. Sample("a", 0, "x")]),
        },
    ];

    public static TheoryData<string> Names => NamesOf(Table);

    [Theory]
    [MemberData(nameof(Names))]
    public void ShardOrTable_Command_DoesWhatIsMeant(string name)
    {
        var situation = Table.Single(s => s.Name == name);
        if (situation.Command.Contains("su nobody", StringComparison.Ordinal)) RequireNobody();
        Run(situation);
    }

    /// <summary>Skips where another user's processes cannot be started, or cannot read what was built.</summary>
    private static void RequireNobody()
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root") Assert.Skip("Only root can start a process of another user.");
        if (Execute($"{AsNobody} --version\"", "/tmp").Code != 0) Assert.Skip("Another user cannot read what was built here.");
    }

    private static (string Name, byte[] Bytes)[] Sample(string name, int picture, string label) =>
        [(name + ".png", Pictures[picture]), (name + ".cls", System.Text.Encoding.UTF8.GetBytes(label))];

    private static string Twin(string name) => name[..(name.LastIndexOf('/') + 1)] + "._" + Path.GetFileName(name);

    private static void Tar(string folder, string name, params (string Name, byte[] Bytes)[] members)
    {
        using var tar = new TarWriter(File.Create(Path.Combine(folder, name)), TarEntryFormat.Ustar);
        foreach (var (member, bytes) in members)
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, member) { DataStream = new MemoryStream(bytes) });
    }

    private static void Linked(string folder)
    {
        using var tar = new TarWriter(File.Create(Path.Combine(folder, "s.tar")), TarEntryFormat.Ustar);
        foreach (var (member, bytes) in Sample("d/a", 0, "x").Concat(Sample("d/b", 1, "y")))
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, member) { DataStream = new MemoryStream(bytes) });
        tar.WriteEntry(new UstarTarEntry(TarEntryType.SymbolicLink, "e/c.png") { LinkName = "../d/a.png" });
        tar.WriteEntry(new UstarTarEntry(TarEntryType.HardLink, "e/c.cls") { LinkName = "d/a.cls" });
        tar.WriteEntry(new UstarTarEntry(TarEntryType.SymbolicLink, "e/out.png") { LinkName = "/etc/passwd" });
    }

    private static void Table6(string folder, string name, int[] nulls)
    {
        int[] there = [.. Enumerable.Range(0, 6).Except(nulls)];
        int[] levels = [.. Enumerable.Range(0, 6).Select(i => nulls.Contains(i) ? 1 : 2)];
        CraftedColumn[] columns =
        [
            new(["image", "bytes"], [true, true], 6, levels, [.. there.Select(i => CraftedColumn.Bytes(Pictures[i]))]),
            new(["image", "path"], [true, true], 6, [2, 2, 2, 2, 2, 2], [.. Enumerable.Range(0, 6)
                .Select(i => CraftedColumn.Text($"{i}.png"))]) { IsText = true },
            new(["label"], [true], 2, [1, 1, 1, 1, 1, 1], [.. Enumerable.Range(0, 6).Select(i => CraftedColumn.Whole(i))]),
        ];
        File.WriteAllBytes(Path.Combine(folder, name), CraftedParquet.Of(new([6], false, false, false, false, true), [columns]));
    }

    private static void TwoImages(string folder)
    {
        CraftedColumn Column(string name, int side) =>
            new([name, "bytes"], [true, true], 6, [2, 2, 2, 2], [.. Enumerable.Range(0, 4).Select(
                i => CraftedColumn.Bytes(EncodedImages.Png(EncodedImages.Picture(side, side, i))))]);
        File.WriteAllBytes(Path.Combine(folder, "two.parquet"), CraftedParquet.Of(
            new([6], false, false, false, false, true), [[Column("thumb", 8), Column("image", 16)]]));
    }
}
