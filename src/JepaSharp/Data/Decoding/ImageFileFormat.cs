namespace JepaSharp.Data.Decoding;

/// <summary>Names a file's format by its first bytes; what it is called plays no part.</summary>
internal static class ImageFileFormat
{
    public const string Tiff = "tiff";

    /// <summary>Extensions, lower case and without the dot, of files that are taken for images.</summary>
    public static readonly IReadOnlyList<string> Extensions = ["jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"];

    /// <summary>"jpeg", "png", "webp", "bmp", "gif" or "tiff"; null for anything else.</summary>
    public static string? Of(ReadOnlySpan<byte> head) => head switch
    {
        [0xff, 0xd8, 0xff, ..] => "jpeg",
        [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => "png",
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => "webp",
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] => "gif",
        [(byte)'B', (byte)'M', ..] => "bmp",
        [(byte)'I', (byte)'I', 42 or 43, 0, ..] or [(byte)'M', (byte)'M', 0, 42 or 43, ..] => Tiff,
        _ => null,
    };
}
