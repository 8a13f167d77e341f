using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace JepaSharp.Runtime;

/// <summary>Writes images as PNG: 8 bits a channel, red, green, blue.</summary>
/// <remarks>
/// Portable Network Graphics (third edition), W3C 2025. Every line is filtered with Paeth's predictor, good for photographs and drawings alike.
/// </remarks>
internal static class PngFile
{
    /// <summary>The bytes of a PNG file, the same everywhere.</summary>
    /// <param name="width">W, at least 1.</param>
    /// <param name="height">H, at least 1.</param>
    /// <param name="pixels">[H, W, 3] uint8.</param>
    /// <exception cref="ArgumentException">There are not H W 3 bytes.</exception>
    public static byte[] Encode(int width, int height, ReadOnlySpan<byte> pixels)
    {
        if (pixels.Length != 3L * width * height)
            throw new ArgumentException($"Found {pixels.Length} bytes; expected [{height}, {width}, 3].", nameof(pixels));
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);

        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2); // bit depth, colour type RGB; then deflate, adaptive filters, no interlace
        WriteChunk(file, "IHDR", header);
        WriteChunk(file, "IDAT", Compress(width, pixels));
        WriteChunk(file, "IEND", []);
        return file.ToArray();
    }

    private static byte[] Compress(int width, ReadOnlySpan<byte> pixels)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            var filtered = new byte[1 + (3 * width)];
            filtered[0] = 4; // Paeth
            ReadOnlySpan<byte> above = new byte[3 * width];
            for (var rest = pixels; rest.Length > 0; rest = rest[(3 * width)..])
            {
                var line = rest[..(3 * width)];
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
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + data.Length), Crc32.HashToUInt32(chunk.AsSpan(4, 4 + data.Length)));
        file.Write(chunk);
    }
}
