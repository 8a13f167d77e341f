namespace JepaSharp.Data.Sources.Packing;

/// <summary>The bytes of a <c>.jepapack</c> file, little-endian.</summary>
/// <remarks>
/// Head (64 bytes): magic "JEPAPACK", version u32, 0 u32, images i64, index offset i64, index bytes i64, CRC-32C of the index u32, CRC-32C of the
/// 44 bytes before u32, zeros. Then the images one after the other, as raw [H, W, 3] or as encoded files. Then the index: an entry of 32 bytes an image (offset i64,
/// bytes u32, width i32, height i32, CRC-32C u32, label i32 with -1 for none, encoding i32), then for each name an i64 end in the name text, then
/// the counts of classes and columns (i32 each), the columns' values (f64, NaN for none, image by image), and texts: class names and column names,
/// each an i32 length and UTF-8, and last the name text.
/// </remarks>
internal static class PackLayout
{
    public const int HeadBytes = 64, EntryBytes = 32;

    public const uint Version = 1;

    /// <summary>Encodings of an image.</summary>
    public const int Raw = 0, Encoded = 1;

    public static ReadOnlySpan<byte> Magic => "JEPAPACK"u8;
}
