using JepaSharp.Data.Sources;

namespace JepaSharp.Data.Decoding;

/// <summary>Opens TIFFs: what the first page's tags say its samples are decides whether they can be made RGB, and how (TIFF 6.0).</summary>
internal static class TiffImage
{
    private const int Width = 256, Height = 257, BitsPerSample = 258, Compression = 259, Photometric = 262, OrientationTag = 274,
    SamplesPerPixel = 277, InkSet = 332;
    private const int ExtraSamples = 338, SampleFormat = 339, Jpeg = 7;

    /// <summary>Takes the file over, unless it throws.</summary>
    /// <exception cref="ImageUnreadableException">The file is damaged, or holds what cannot be made RGB for certain.</exception>
    public static OpenedImage Open(FileBytes file, string name, DecodingLimits limits)
    {
        var directory = TiffDirectory.First(file.Span) ?? throw new ImageUnreadableException(name, "the tiff header is damaged or cut short.");
        if (directory.Has(Width) && directory.Has(Height)) ImageDecoder.Check(name, directory.Value(Width, 0), directory.Value(Height, 0), limits);
        if (Refusal(directory) is { } reason) throw new ImageUnreadableException(name, reason);
        var colour = (int)directory.Value(Photometric, 1) switch
        {
            5 => ColourKind.Cmyk,
            0 or 1 => ColourKind.Grey,
            _ => ColourKind.Rgb, // palettes and YCbCr too: libvips makes RGB of them
        };
        return VipsImage.OpenTiff(file, name, colour, Orientation.OfExif((int)directory.Value(OrientationTag, 1)), directory.HasNext, limits);
    }

    private static string? Refusal(TiffDirectory tiff)
    {
        var (photometric, channels) = (tiff.Value(Photometric, 1), tiff.Value(SamplesPerPixel, 1));
        var (bits, format) = (tiff.Value(BitsPerSample, 1), tiff.Value(SampleFormat, 1));
        if (tiff.Values(BitsPerSample).Any(b => b != bits) || tiff.Values(SampleFormat).Any(f => f != format))
            return "the tiff's channels are stored in different ways. Store all of them in 8 bits.";
        var isKnownSample = format switch
        {
            1 => bits is 1 or 2 or 4 or 8 or 16 or 32,
            2 => bits is 8 or 16 or 32,
            3 => bits is 32,
            _ => false,
        };
        if (!isKnownSample) return $"the tiff's samples are {NameOf(format)} of {bits} bits, which are not read. Store the image in 8 or 16 bits.";
        if (PackingOf(tiff.Value(Compression, 1)) is { } packing)
            return $"the tiff is packed as {packing}, which is not read. Store it packed as LZW or Deflate.";
        return photometric switch
        {
            0 or 1 => RefusalOfGrey(tiff, photometric, channels, format),
            2 when channels < 3 => $"the tiff's header is damaged: RGB in {channels} channels.",
            2 => null,
            3 when channels != 1 || bits > 8 || format != 1 =>
                $"the tiff's palette has {channels} channels of {bits} bits, which is not read. Store the image as RGB.",
            3 => null,
            5 when tiff.Value(InkSet, 1) != 1 || channels < 4 => "the tiff's inks are not cyan, magenta, yellow and black. Store the image as RGB.",
            5 when bits is not (8 or 16) || format != 1 =>
                $"the tiff's inks are {NameOf(format)} of {bits} bits, which are not read. Store the image as RGB of 8 bits.",
            5 => null,
            6 when channels == 3 && bits == 8 && format == 1 && tiff.Value(Compression, 1) == Jpeg => null,
            _ => $"the tiff holds {ColoursOf(photometric)}, which are not read. Store the image as RGB.",
        };
    }

    private static string? RefusalOfGrey(TiffDirectory tiff, long photometric, long channels, long format)
    {
        if (photometric == 0 && format != 1)
            return $"the tiff's samples are {NameOf(format)} of which the least is white, which is not read. Store the image in 8 or 16 bits.";
        if (channels == 1) return null;
        var isAlpha = channels == 2 && tiff.Value(ExtraSamples, 0) is 1 or 2;
        return isAlpha ? null : $"the tiff has {channels} channels, of which none is said to be red, green or blue. Store the image as RGB or grey.";
    }

    /// <summary>null for what is read: none, fax, LZW, JPEG, Deflate, PackBits, WebP.</summary>
    private static string? PackingOf(long compression) => compression switch
    {
        >= 1 and <= 8 or 32771 or 32773 or 32946 or 50001 => null,
        34712 => "JPEG 2000",
        34887 => "LERC",
        34925 => "LZMA",
        50000 => "Zstandard",
        50002 or 52546 => "JPEG XL",
        _ => $"an unknown kind (compression {compression})",
    };

    private static string NameOf(long format) => format switch
    {
        1 => "unsigned integers",
        2 => "signed integers",
        3 => "floats",
        5 or 6 => "complex numbers",
        _ => "numbers of no known kind",
    };

    private static string ColoursOf(long photometric) => photometric switch
    {
        4 => "a mask of transparency",
        6 => "YCbCr colours that are not packed as JPEG",
        8 or 9 or 10 => "CIE L*a*b* colours",
        32803 => "raw values of a camera's sensor",
        32844 or 32845 => "logarithms of luminance (LogLuv)",
        34892 => "linear raw values of a camera",
        _ => $"colours of an unknown kind (photometric interpretation {photometric})",
    };
}
