using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources.Binary;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Folders;

/// <summary>Names what a file is, by its ending or its first bytes, where it is not called as an image that can be read.</summary>
internal static class FileKind
{
    /// <summary>How many first bytes tell.</summary>
    public const int HeadBytes = 132;

    /// <summary>What a file without an ending is called.</summary>
    public const string WithoutEnding = "without ending";

    /// <summary>What takes an s where there are several.</summary>
    public const string Archive = "archive", ImageFile = "image file", Icon = "icon";

    private const string Raw = "camera raw", Unfinished = "unfinished or spare";
    private const int LongestEnding = 16;

    private static readonly Dictionary<string, string> ByEnding = Map(
        ("HEIC", "heic heif hif"), ("AVIF", "avif avifs"), ("JPEG 2000", "jp2 j2k jpx jpf jpm j2c"), ("JPEG XL", "jxl"), ("JPEG XR", "jxr wdp hdp"),
        ("Photoshop", "psd psb"),
        ("SVG", "svg svgz"), ("DICOM", "dcm dicom"), ("OpenEXR", "exr"), ("Radiance", "hdr"), ("PNM", "pnm ppm pgm pbm pam pfm"),
        ("TGA", "tga"), ("DDS", "dds"), (Icon, "ico cur icns"),
        ("PCX", "pcx"), ("GIMP", "xcf"), ("FITS", "fits fts"), ("PDF", "pdf"), ("PostScript", "eps ps ai"),
        (Raw, "dng nef nrw cr2 cr3 crw arw srf sr2 orf rw2 rwl pef srw raf 3fr fff iiq kdc dcr erf mef mos mrw x3f raw"),
        (Unfinished, "part partial crdownload download tmp bak old orig"),
        (Archive, "tar tgz tbz2 txz zip 7z rar gz bz2 xz zst lz4 parquet arrow jepapack h5 hdf5 tfrecord lmdb mdb iso"));

    /// <summary>Whether the ending alone settles that the file is not read: what is in it may look like an image and is none to train on.</summary>
    public static bool IsSettled(string name) =>
        name.EndsWith('~') || (ByEnding.TryGetValue(Ending(name), out var what) && what is Raw or Unfinished or Archive);

    /// <summary>The ending, lower case and without the dot; empty where there is none, or what stands behind the dot is no ending.</summary>
    public static string Ending(string name)
    {
        var ending = Path.GetExtension(name).TrimStart('.').ToLowerInvariant();
        return ending.Length <= LongestEnding && ending.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '~') ? ending : "";
    }

    /// <summary>Whether the ending is one of the formats that are read.</summary>
    public static bool IsCalledImage(string name) => ImageFileFormat.Extensions.Contains(Ending(name));

    /// <summary>Whether the ending is that of any picture, read or not.</summary>
    public static bool IsCalledPicture(string name) => IsCalledImage(name)
        || Ending(name) is "jfif" or "jpe" or "jif" or "pjpeg" or "pjp" or "apng" or "jpg_large" or "mpo"
        || (ByEnding.TryGetValue(Ending(name), out var what) && what is not (Archive or Unfinished or "PDF" or "PostScript"));

    /// <summary>What to call a file that is not read.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="head">Its first bytes; empty where they are not known.</param>
    public static string WhatIs(string name, ReadOnlySpan<byte> head = default)
    {
        if (name.EndsWith('~')) return Unfinished;
        if (ByContent(head) is { } kind) return kind;
        var ending = Ending(name);
        return ByEnding.TryGetValue(ending, out var what) ? what : ending.Length > 0 ? "." + ending : WithoutEnding;
    }

    /// <summary>Whether first bytes are those of an image that can be read.</summary>
    /// <remarks>Stricter than <see cref="ImageFileFormat"/>, since the name does not say so: many a text begins with "BM".</remarks>
    public static bool IsImage(ReadOnlySpan<byte> head) => ImageFileFormat.Of(head) switch
    {
        null => false,
        "bmp" => head.Length > 18 && head[6..10] is [0, 0, 0, 0] && head[14..18] is [12 or 16 or 40 or 52 or 56 or 64 or 108 or 124, 0, 0, 0],
        "gif" => head.Length > 5 && head[4] is (byte)'7' or (byte)'9' && head[5] == 'a',
        ImageFileFormat.Tiff => !IsCanonRaw(head),
        _ => true,
    };

    private static string? ByContent(ReadOnlySpan<byte> head) => head switch
    {
        [_, _, _, _, (byte)'f', (byte)'t', (byte)'y', (byte)'p', (byte)'a', (byte)'v', (byte)'i', (byte)'f' or (byte)'s', ..] => "AVIF",
        [_, _, _, _, (byte)'f', (byte)'t', (byte)'y', (byte)'p', (byte)'h', (byte)'e', ..] => "HEIC",
        [_, _, _, _, (byte)'f', (byte)'t', (byte)'y', (byte)'p', (byte)'m', (byte)'i' or (byte)'s', (byte)'f', (byte)'1', ..] => "HEIC",
        [_, _, _, _, (byte)'f', (byte)'t', (byte)'y', (byte)'p', (byte)'c', (byte)'r', (byte)'x', ..] => Raw,
        [0, 0, 0, 12, (byte)'j', (byte)'P', ..] or [0xff, 0x4f, 0xff, 0x51, ..] => "JPEG 2000",
        [0, 0, 0, 12, (byte)'J', (byte)'X', (byte)'L', ..] => "JPEG XL",
        [(byte)'8', (byte)'B', (byte)'P', (byte)'S', ..] => "Photoshop",
        [(byte)'I', (byte)'I', 0xbc, ..] => "JPEG XR",
        [0x76, 0x2f, 0x31, 1, ..] => "OpenEXR",
        [(byte)'<', (byte)'s', (byte)'v', (byte)'g', ..] => "SVG",
        [(byte)'P', (byte)'K', 3, 4, ..] or [(byte)'R', (byte)'a', (byte)'r', (byte)'!', ..] or [(byte)'7', (byte)'z', 0xbc, 0xaf, ..] => Archive,
        _ when IsCanonRaw(head) => Raw,
        _ when head.Length >= HeadBytes && head[128..132].SequenceEqual("DICM"u8) => "DICOM",
        _ => null,
    };

    private static bool IsCanonRaw(ReadOnlySpan<byte> head) => head is [(byte)'I', (byte)'I', 42, 0, _, _, _, _, (byte)'C', (byte)'R', ..];

    private static Dictionary<string, string> Map(params (string What, string Endings)[] kinds)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (what, endings) in kinds)
            foreach (var ending in endings.Split(' ')) map[ending] = what;
        return map;
    }
}

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
        foreach (var file in folder.Contents.Files.Where(f => !names.Contains(f)))
            passed.Add(IsOfOtherPart(file, others) ? "of another part" : WhatIs(file), file);
        passed.Add(folder.Contents.SetAside);
        foreach (var second in folder.Contents.SecondFiles.Where(s => !names.Contains(s.Name))) passed.Add(second);
        var notices = new List<string>();
        var sum = $"{Quantity.Of(read.Count + passed.Count, "file", "files")} found";
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
