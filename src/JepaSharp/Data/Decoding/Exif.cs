namespace JepaSharp.Data.Decoding;

/// <summary>What EXIF data says of an image: a TIFF file without pixels, with or without "Exif" and two zeros in front.</summary>
internal static class Exif
{
    private const int OrientationTag = 0x0112;

    /// <summary>The orientation; upright where none is given.</summary>
    public static Orientation OrientationOf(ReadOnlySpan<byte> exif)
    {
        if (exif.StartsWith("Exif\0\0"u8)) exif = exif[6..];
        return TiffDirectory.First(exif) is { } directory ? Orientation.OfExif((int)directory.Value(OrientationTag, 1)) : default;
    }
}
