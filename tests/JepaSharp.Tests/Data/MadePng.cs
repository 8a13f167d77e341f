using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace JepaSharp.Tests.Data;

/// <summary>PNGs put together chunk by chunk, whose samples are therefore known.</summary>
internal static class MadePng
{
    /// <summary>A PNG of unfiltered rows.</summary>
    /// <param name="width">W.</param>
    /// <param name="height">H.</param>
    /// <param name="depth">Bits of a sample.</param>
    /// <param name="colour">0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha.</param>
    /// <param name="samples">All rows, packed, without filter bytes.</param>
    /// <param name="chunks">Further chunks, in front of the pixels.</param>
    /// <param name="first">A chunk in front of all others.</param>
    public static byte[] Write(int width, int height, int depth, int colour, byte[] samples, byte[]? chunks = null, byte[]? first = null)
    {
        var head = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(head, width);
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(4), height);
        (head[8], head[9]) = ((byte)depth, (byte)colour);
        var stride = samples.Length / height;
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (var y = 0; y < height; y++)
            {
                zlib.WriteByte(0);
                zlib.Write(samples, y * stride, stride);
            }
        }

        return [0x89, .. "PNG\r\n\x1a\n"u8, .. first ?? [], .. Chunk("IHDR", head), .. chunks ?? [], .. Chunk("IDAT", packed.ToArray()), .. Chunk(
            "IEND", [])];
    }

    /// <summary>Samples of up to eight bits, each the high bits of a byte, rows padded to whole bytes.</summary>
    public static byte[] Packed(byte[] samples, int width, int depth)
    {
        var rows = new List<byte>();
        for (var start = 0; start < samples.Length; start += width)
        {
            var row = new byte[((width * depth) + 7) / 8];
            for (var x = 0; x < width; x++) row[x * depth / 8] |= (byte)((samples[start + x] >> (8 - depth)) << (8 - depth - (x * depth % 8)));
            rows.AddRange(row);
        }

        return [.. rows];
    }

    public static byte[] Chunk(string type, byte[] data)
    {
        byte[] named = [.. type.Select(c => (byte)c), .. data];
        var (length, crc) = (new byte[4], new byte[4]);
        BinaryPrimitives.WriteInt32BigEndian(length, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(crc, Crc32.HashToUInt32(named));
        return [.. length, .. named, .. crc];
    }

    /// <summary>EXIF data that holds nothing but the orientation.</summary>
    public static byte[] Exif(int orientation) =>
        [.. "MM\0*\0\0\0\x08\0\x01"u8, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0];

    /// <summary>A PNG of many megapixels and few bytes: one grey, RGBA.</summary>
    public static byte[] Large(int side)
    {
        var row = new byte[1 + (4 * side)];
        row.AsSpan(1).Fill(0x40);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            for (var y = 0; y < side; y++) zlib.Write(row);
        var head = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(head, side);
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(4), side);
        (head[8], head[9]) = (8, 6);
        return [0x89, .. "PNG\r\n\x1a\n"u8, .. Chunk("IHDR", head), .. Chunk("IDAT", packed.ToArray()), .. Chunk("IEND", [])];
    }
}
