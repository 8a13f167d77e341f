using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using JepaSharp.Data;

namespace JepaSharp.Pictures;

/// <summary>Writes images as PNG: 8 bits a channel, red, green, blue.</summary>
/// <remarks>Portable Network Graphics (third edition), W3C 2025. Every line is filtered with Paeth's predictor, good for photographs and drawings alike.</remarks>
public static class PngFile
{
    private static readonly uint[] Crc = CrcTable();

    /// <summary>Writes <paramref name="image"/> to a file, replacing what is there.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, RgbImage image) => File.WriteAllBytes(path, Encode(image));

    /// <summary>The bytes of a PNG file that holds <paramref name="image"/>.</summary>
    public static byte[] Encode(RgbImage image)
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);

        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, image.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), image.Height);
        (header[8], header[9]) = (8, 2); // bit depth, colour type RGB; then deflate, adaptive filters, no interlace
        WriteChunk(file, "IHDR", header);
        WriteChunk(file, "IDAT", Compress(image));
        WriteChunk(file, "IEND", []);
        return file.ToArray();
    }

    private static byte[] Compress(RgbImage image)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            var filtered = new byte[1 + (3 * image.Width)];
            filtered[0] = 4; // Paeth
            ReadOnlySpan<byte> above = new byte[3 * image.Width];
            for (var y = 0; y < image.Height; y++)
            {
                ReadOnlySpan<byte> line = image.Row(y);
                for (var i = 0; i < line.Length; i++)
                {
                    var predicted = i < 3 ? above[i] : Paeth(line[i - 3], above[i], above[i - 3]);
                    filtered[i + 1] = (byte)(line[i] - predicted);
                }

                zlib.Write(filtered);
                above = line;
            }
        }

        return packed.ToArray();
    }

    /// <summary>Whichever of left, above and above-left is nearest to left + above - above-left.</summary>
    private static byte Paeth(byte left, byte above, byte corner)
    {
        int toLeft = Math.Abs(above - corner), toAbove = Math.Abs(left - corner), toCorner = Math.Abs(left + above - (2 * corner));
        return toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner;
    }

    private static void WriteChunk(MemoryStream file, string type, ReadOnlySpan<byte> data)
    {
        var chunk = new byte[12 + data.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        Encoding.ASCII.GetBytes(type, chunk.AsSpan(4));
        data.CopyTo(chunk.AsSpan(8));
        var crc = uint.MaxValue;
        foreach (var b in chunk.AsSpan(4, 4 + data.Length)) crc = Crc[(byte)(crc ^ b)] ^ (crc >> 8);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + data.Length), ~crc);
        file.Write(chunk);
    }

    private static uint[] CrcTable()
    {
        var table = new uint[256];
        for (var i = 0u; i < 256; i++)
        {
            var c = i;
            for (var bit = 0; bit < 8; bit++) c = (c & 1) != 0 ? 0xedb88320 ^ (c >> 1) : c >> 1;
            table[i] = c;
        }

        return table;
    }
}
