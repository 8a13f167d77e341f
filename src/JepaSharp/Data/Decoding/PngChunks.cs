using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using JepaSharp.Data.Sources;

namespace JepaSharp.Data.Decoding;

/// <summary>What the chunks of a PNG (ISO/IEC 15948) say that its decoders do not, and the file without those that no pixel depends on.</summary>
/// <remarks>Texts, profiles and further frames may be long, and decoders are slow to pass over them.</remarks>
internal sealed class PngChunks
{
    private const int SignatureBytes = 8, FrameBytes = 12, LongestProfile = 1 << 20;

    private readonly List<(int Start, int Length)> _needed = [(0, SignatureBytes)];

    private PngChunks()
    {
    }

    /// <summary>Bits of a sample; 0 where the head is damaged.</summary>
    public int Depth { get; private set; }

    /// <summary>Pixels by the head; 0 where it is damaged.</summary>
    public long Pixels { get; private set; }

    /// <summary>The EXIF orientation, of the chunk <c>eXIf</c> or of a text "Raw profile type exif" as ImageMagick writes it.</summary>
    public Orientation Orientation { get; private set; }

    /// <summary>Whether the file is an animation of several frames.</summary>
    public bool HasFurtherFrames { get; private set; }

    /// <summary>Walks through the chunks.</summary>
    /// <exception cref="ImageUnreadableException">It is no PNG that anyone but Apple's programs can read.</exception>
    public static PngChunks Of(ReadOnlySpan<byte> png, string name)
    {
        var chunks = new PngChunks();
        for (var at = SignatureBytes; at + 8 <= png.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(png[at..]);
            var end = (int)Math.Min((long)at + FrameBytes + length, png.Length);
            var data = png[(at + 8)..Math.Max(at + 8, end - 4)];
            var type = Encoding.Latin1.GetString(png.Slice(at + 4, 4));
            if (chunks.Read(type, data, name)) chunks.Need(at, end - at);
            at = type == "IEND" ? png.Length : end;
        }

        return chunks;
    }

    /// <summary>The file without what no pixel depends on.</summary>
    public FileBytes Needed(FileBytes file) => _needed.Count == 1 && _needed[0].Length == file.Length ? file : file.Keep(_needed);

    private bool Read(string type, ReadOnlySpan<byte> data, string name)
    {
        switch (type)
        {
            case "CgBI":
                throw new ImageUnreadableException(
                    name, "the file is a PNG as Xcode packs it for iOS (CgBI), whose pixels only Apple's programs can read. Convert it back: xcrun "
                        + "-sdk iphoneos pngcrush -revert-iphone-optimizations IN OUT.");
            case "IHDR" when data.Length >= 13:
                Depth = data[8];
                Pixels = (long)BinaryPrimitives.ReadUInt32BigEndian(data) * BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
                break;
            case "eXIf":
                Orientation = Exif.OrientationOf(data);
                break;
            case "acTL" when data.Length >= 4:
                HasFurtherFrames = BinaryPrimitives.ReadUInt32BigEndian(data) > 1;
                break;
            case "tEXt" or "zTXt" or "iTXt" when data.StartsWith("Raw profile type exif\0"u8) || data.StartsWith("Raw profile type APP1\0"u8):
                if (Orientation.IsUpright) Orientation = OfProfile(type, data["Raw profile type exif\0"u8.Length..]);
                break;
        }

        // A critical chunk's first letter is a capital. Of the others, only transparency has to do with pixels.
        return char.IsAsciiLetterUpper(type[0]) || !char.IsAsciiLetterLower(type[0]) || type == "tRNS";
    }

    private void Need(int start, int length)
    {
        var (lastStart, lastLength) = _needed[^1];
        if (lastStart + lastLength == start) _needed[^1] = (lastStart, lastLength + length);
        else _needed.Add((start, length));
    }

    /// <summary>A profile as text: a line with its name, one with its length, then hexadecimal digits.</summary>
    private static Orientation OfProfile(string type, ReadOnlySpan<byte> data)
    {
        try
        {
            var text = type switch
            {
                "tEXt" => Text(data),
                "zTXt" when data.Length > 1 => Inflated(data[1..]),
                "iTXt" when data.Length > 4 && data[2..].IndexOf("\0\0"u8) is >= 0 and var at =>
                    data[0] == 0 ? Text(data[(at + 4)..]) : Inflated(data[(at + 4)..]),
                _ => "",
            };
            var lines = text.Split('\n', 4);
            if (lines.Length < 4) return default;
            var bytes = Convert.FromHexString(string.Concat(lines[3].Where(char.IsAsciiHexDigit)));
            return Exif.OrientationOf(bytes);
        }
        catch (Exception e) when (e is InvalidDataException or FormatException)
        {
            return default; // a damaged text is no reason to refuse the pixels
        }
    }

    private static string Text(ReadOnlySpan<byte> data) => Encoding.Latin1.GetString(data[..Math.Min(data.Length, LongestProfile)]);

    private static string Inflated(ReadOnlySpan<byte> data)
    {
        using var inflated = new ZLibStream(new MemoryStream(data.ToArray()), CompressionMode.Decompress);
        var bytes = new byte[LongestProfile];
        var filled = inflated.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return Text(bytes.AsSpan(0, filled));
    }
}
