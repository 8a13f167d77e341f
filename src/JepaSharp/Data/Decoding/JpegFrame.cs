using System.Buffers.Binary;

namespace JepaSharp.Data.Decoding;

/// <summary>What the frame header of a JPEG (ITU-T T.81, B.2.2) says about the memory that decoding takes.</summary>
internal static class JpegFrame
{
    /// <summary>Bytes of the coefficients that a decoder holds of the whole image: two for each sample where it is progressive or in several scans,
    /// at any scale; else none.</summary>
    public static long CoefficientBytes(ReadOnlySpan<byte> jpeg) => TryFind(jpeg, out var marker, out var segment) ? OfFrame(marker, segment) : 0;

    /// <summary>What the JPEG is, where it is of a kind that is hardly read anywhere; else null.</summary>
    public static string? UnknownKind(ReadOnlySpan<byte> jpeg)
    {
        const string Advice = "which is not read. Store it anew as JPEG of 8 bits or as PNG.";
        if (!TryFind(jpeg, out var marker, out var segment) || segment.Length < 3) return null;
        if (segment[2] != 8) return $"the jpeg has samples of {segment[2]} bits, {Advice}";
        return marker switch
        {
            0xc3 or 0xc7 or 0xcb or 0xcf => $"the jpeg is packed without loss (Annex H), {Advice}",
            0xc5 or 0xc6 or 0xcd or 0xce => $"the jpeg is packed in hierarchical frames, {Advice}",
            0xf7 => $"the file is a JPEG-LS, {Advice}",
            _ => null,
        };
    }

    /// <summary>Finds the frame header.</summary>
    private static bool TryFind(ReadOnlySpan<byte> jpeg, out byte marker, out ReadOnlySpan<byte> segment)
    {
        segment = default;
        marker = 0;
        for (var at = 2; at + 4 <= jpeg.Length && jpeg[at] == 0xff;)
        {
            marker = jpeg[at + 1];
            if (marker == 0xff)
            {
                at++; // fill bytes may stand before a marker
                continue;
            }

            var length = BinaryPrimitives.ReadUInt16BigEndian(jpeg[(at + 2)..]);
            var isFrame = marker is 0xf7 or (>= 0xc0 and <= 0xcf and not (0xc4 or 0xc8 or 0xcc));
            if (isFrame)
            {
                if (at + 2 + length > jpeg.Length) return false;
                segment = jpeg.Slice(at + 2, length);
                return true;
            }

            if (marker is 0xda or 0xd9) return false;
            at += 2 + length;
        }

        return false;
    }

    /// <summary>Segment: length (2), precision, height (2), width (2), components, then for each its number, its sampling factors (4 bits each) and
    /// its table.</summary>
    private static long OfFrame(byte marker, ReadOnlySpan<byte> segment)
    {
        var isSequential = marker is 0xc0 or 0xc1;
        if (isSequential || segment.Length < 8 || segment.Length < 8 + (3 * segment[7])) return 0;
        long height = BinaryPrimitives.ReadUInt16BigEndian(segment[3..]), width = BinaryPrimitives.ReadUInt16BigEndian(segment[5..]);
        int sampled = 0, most = 1;
        for (var c = 0; c < segment[7]; c++)
        {
            var factors = segment[9 + (3 * c)];
            var blocks = (factors >> 4) * (factors & 15);
            sampled += blocks;
            most = Math.Max(most, blocks);
        }

        return 2 * width * height * sampled / most;
    }
}
