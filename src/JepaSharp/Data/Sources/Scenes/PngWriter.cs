using System.Buffers.Binary;
using System.IO.Compression;

namespace JepaSharp.Data.Sources.Scenes;

/// <summary>Writes 8-bit RGB pictures as PNG (ISO/IEC 15948), the same bytes everywhere.</summary>
internal static class PngWriter
{
    private static readonly uint[] CrcTable = [.. Enumerable.Range(0, 256).Select(CrcOf)];

    public static void Write(Stream stream, RgbImage image)
    {
        stream.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, image.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), image.Height);
        (header[8], header[9]) = (8, 2);
        WriteChunk(stream, "IHDR"u8, header);
        WriteChunk(stream, "IDAT"u8, Compress(image));
        WriteChunk(stream, "IEND"u8, []);
    }

    // Every row is written as its difference from the row above (filter 2), which suits soft shading.
    private static byte[] Compress(RgbImage image)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            var line = new byte[1 + (3 * image.Width)];
            line[0] = 2;
            for (var y = 0; y < image.Height; y++)
            {
                var row = image.Row(y);
                var above = y > 0 ? image.Row(y - 1) : default;
                for (var i = 0; i < row.Length; i++) line[i + 1] = (byte)(row[i] - (y > 0 ? above[i] : 0));
                zlib.Write(line);
            }
        }

        return packed.ToArray();
    }

    private static void WriteChunk(Stream stream, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        stream.Write(number);
        stream.Write(type);
        stream.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Crc(Crc(uint.MaxValue, type), data));
        stream.Write(number);
    }

    private static uint Crc(uint crc, ReadOnlySpan<byte> data)
    {
        foreach (var value in data) crc = CrcTable[(byte)(crc ^ value)] ^ (crc >> 8);
        return crc;
    }

    private static uint CrcOf(int value)
    {
        var crc = (uint)value;
        for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320u : crc >> 1;
        return crc;
    }
}
