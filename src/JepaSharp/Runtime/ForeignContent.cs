using System.Text;

namespace JepaSharp.Runtime;

/// <summary>What a file is that is not what it should be, told by its first bytes, so that a message can name it and say what to do.</summary>
/// <param name="What">What it is, as in "it is a web page".</param>
/// <param name="Remedy">What to do about it, as the end of a sentence.</param>
/// <param name="Unpack">The program that unpacks it, where it is something compressed or an archive; else null.</param>
internal sealed record ForeignContent(string What, string Remedy, string? Unpack = null)
{
    /// <summary>Bytes of a file's beginning that are enough to tell.</summary>
    public const int HeadBytes = 512;

    private const int Shown = 40, TarMark = 257, LeastZeros = 16, LeastText = 16;
    private const string PageRemedy = "download the file again: the server sent a page, perhaps one that asks to log in or to agree";
    private const string Fetch = "fetch the file itself again", Convert = "convert it to JPEG or PNG";

    private static readonly (int At, byte[] Bytes, ForeignContent Content)[] Known =
    [
        (0, "/annex/objects/"u8.ToArray(), new("a git-annex pointer, not the file itself", "fetch it with git annex get") { StandsIn = true }),
        (0, [0x1f, 0x8b], Packed("gzip", "gunzip")),
        (0, "BZh"u8.ToArray(), Packed("bzip2", "bunzip2")),
        (0, [0xfd, .. "7zXZ"u8, 0], Packed("xz", "unxz")),
        (0, [0x28, 0xb5, 0x2f, 0xfd], Packed("zstd", "unzstd")),
        (0, [0x04, 0x22, 0x4d, 0x18], Packed("lz4", "unlz4")),
        (0, [0x1f, 0x9d], Packed("compress", "uncompress")),
        (0, [.. "PK"u8, 3, 4], Archive("zip", "unzip")),
        (0, [.. "PK"u8, 5, 6], Archive("zip", "unzip")),
        (0, [.. "7z"u8, 0xbc, 0xaf, 0x27, 0x1c], Archive("7z", "7z x")),
        (0, [.. "Rar!"u8, 0x1a, 7], Archive("RAR", "unrar x")),
        (TarMark, "ustar"u8.ToArray(), Archive("tar", "tar -xf")),
        (0, [0, 5, 0x16, 7], new("a Mac's attributes of another file (._NAME)", "delete it, or take the file beside it that is called the same "
            + "without ._")),
        (0, "%PDF-"u8.ToArray(), new("a PDF document", "take the pictures out of it")),
        (0, [0x89, .. "HDF"u8], new("an HDF5 file", "write what it holds in a format that is read")),
        (0, [0x93, .. "NUMPY"u8], new("a NumPy array", "write what it holds in a format that is read")),
        (0, [0x89, .. "PNG"u8], new("a PNG picture", Fetch)),
        (0, [0xff, 0xd8, 0xff], new("a JPEG picture", Fetch)),
        (4, "ftypavif"u8.ToArray(), new("an AVIF picture", Convert)),
        (4, "ftypheic"u8.ToArray(), new("a HEIC picture", Convert)),
        (4, "ftypheix"u8.ToArray(), new("a HEIC picture", Convert)),
        (4, "ftypmif1"u8.ToArray(), new("a HEIC picture", Convert)),
        (4, "ftyp"u8.ToArray(), new("a video", "take its frames out as JPEG or PNG")),
        (0, [0xff, 0x0a], new("a JPEG XL picture", Convert)),
        (4, "JXL "u8.ToArray(), new("a JPEG XL picture", Convert)),
        (4, "jP  "u8.ToArray(), new("a JPEG 2000 picture", Convert)),
        (0, "8BPS"u8.ToArray(), new("a Photoshop file", Convert)),
        (128, "DICM"u8.ToArray(), new("a DICOM file", Convert)),
        (0, [0x76, 0x2f, 0x31, 1], new("an OpenEXR picture", Convert)),
    ];

    private static readonly ForeignContent Blank =
        new("nothing but zeros, as a copy or a download that broke off leaves them", Fetch) { IsBlank = true };

    private static readonly ForeignContent WebPage = new("a web page, not the file itself", PageRemedy) { StandsIn = true };

    /// <summary>Whether it is a tar archive.</summary>
    public bool IsTar => Unpack == "tar -xf";

    /// <summary>Whether it is a zip archive, which is what a PyTorch checkpoint is too.</summary>
    public bool IsZip => Unpack == "unzip";

    /// <summary>Whether it stands in for the file itself, which no set of images and no weights do: a pointer or a web page.</summary>
    public bool StandsIn { get; private init; }

    /// <summary>Whether it is zeros, as an empty archive is too.</summary>
    public bool IsBlank { get; private init; }

    /// <summary>Names what begins with these bytes; null where that is nothing known.</summary>
    /// <param name="head">The first bytes, up to <see cref="HeadBytes"/> of them or more.</param>
    public static ForeignContent? Of(ReadOnlySpan<byte> head)
    {
        foreach (var (at, bytes, content) in Known)
            if (head.Length >= at + bytes.Length && head[at..].StartsWith(bytes)) return content;
        head = head[..Math.Min(head.Length, HeadBytes)];
        if (head.Length >= LeastZeros && !head.ContainsAnyExcept((byte)0)) return Blank;
        return OfText(head);
    }

    /// <summary>Names what a file is; null where that is nothing known, or it cannot be read. Pipes and devices are not opened.</summary>
    public static ForeignContent? OfFile(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if ((file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file).Length == 0) return null;
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var head = new byte[HeadBytes];
            return Of(head.AsSpan(0, stream.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static ForeignContent? OfText(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith("\uFEFF"u8)) head = head[3..];
        if (head.Length < LeastText) return null;
        var text = Encoding.Latin1.GetString(head).TrimStart();
        bool Begins(string with) => text.StartsWith(with, StringComparison.OrdinalIgnoreCase);
        if (Begins("version https://git-lfs.") || Begins("version http://git-media"))
            return new("a git-lfs pointer, not the file itself", "fetch it with git lfs pull") { StandsIn = true };
        if (Begins("<!doctype html") || Begins("<html") || Begins("<head") || Begins("<body"))
            return WebPage;
        if (Begins("<svg") || (Begins("<?xml") && text.Contains("<svg", StringComparison.OrdinalIgnoreCase))) return new("an SVG drawing", Convert);
        if (Begins("<?xml") || Begins("<Error>")) return new("an XML text, perhaps a server's answer to a failed download", Fetch);
        if (text.Length == 0 || head.ContainsAnyInRange((byte)0, (byte)8) || head.ContainsAnyInRange((byte)14, (byte)31)) return null;
        if (head.ContainsAnyInRange((byte)127, (byte)255)) return null;
        var line = text.Split('\n')[0].Trim();
        return new($"text that begins with \"{(line.Length > Shown ? line[..Shown] + "..." : line)}\"", Fetch);
    }

    private static ForeignContent Packed(string what, string with) => new($"compressed with {what}", $"unpack it with {with}", with);

    private static ForeignContent Archive(string what, string with) => new($"a {what} archive", $"unpack it ({with}) and give what is in it", with);
}
