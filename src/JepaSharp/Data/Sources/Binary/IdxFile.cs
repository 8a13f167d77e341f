using System.Buffers.Binary;
using System.IO.Compression;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Binary;

/// <summary>An array of bytes in the IDX format of MNIST, compressed with gzip or not, read whole.</summary>
/// <remarks>
/// Big-endian: two zero bytes, the element type (8: unsigned bytes, the only one read here), the number of dimensions, each dimension in four bytes,
/// then the elements (Y. LeCun, "The MNIST database of handwritten digits").
/// </remarks>
internal sealed class IdxFile
{
    // One array in memory; MNIST has 47 million.
    private const long MostBytes = 1L << 31;

    private IdxFile(int[] dimensions, byte[] data, bool isWhole) => (Dimensions, Data, IsWhole) = (dimensions, data, isWhole);

    /// <summary>Sizes, the number of items first.</summary>
    public int[] Dimensions { get; }

    /// <summary>Elements, the last dimension fastest; fewer than the dimensions say where the file is cut short.</summary>
    public byte[] Data { get; }

    /// <summary>Whether all elements are there.</summary>
    public bool IsWhole { get; }

    /// <summary>Bytes of one item.</summary>
    public int ItemBytes => Dimensions.Skip(1).Aggregate(1, (product, size) => product * size);

    /// <summary>Reads a file.</summary>
    /// <param name="path">Path, ending in .gz or not: the content decides.</param>
    /// <param name="dimensions">How many dimensions it must have.</param>
    /// <exception cref="JepaException">The file cannot be read or is no such array.</exception>
    public static IdxFile Read(string path, int dimensions)
    {
        try
        {
            using var file = RegularFile.OpenRead(path);
            Span<byte> magic = stackalloc byte[2];
            file.ReadExactly(magic);
            file.Position = 0;
            using Stream stream = magic is [0x1f, 0x8b] ? new GZipStream(file, CompressionMode.Decompress) : file;
            return Read(stream, path, dimensions);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new JepaException($"{path} cannot be read as IDX: {e.Message}", isUsage: true, e);
        }
    }

    private static IdxFile Read(Stream stream, string path, int dimensions)
    {
        Span<byte> head = stackalloc byte[4 + (4 * dimensions)];
        stream.ReadExactly(head);
        if (head[0] != 0 || head[1] != 0 || head[2] != 8 || head[3] != dimensions)
            throw new JepaException(
                $"{path} is no IDX file of bytes in {dimensions} dimensions: it begins with {Convert.ToHexString(head[..4])}, expected "
                    + $"000008{dimensions:X2}.", isUsage: true);
        var sizes = new int[dimensions];
        var total = 1L;
        for (var d = 0; d < dimensions; d++)
        {
            var size = BinaryPrimitives.ReadUInt32BigEndian(head[(4 + (4 * d))..]);
            if (size == 0 || size > MostBytes || (total *= size) > Math.Min(MostBytes, Array.MaxLength))
                throw new JepaException(
                    $"{path} claims dimensions that it cannot have: dimension {d} is {size:N0}. Expected at least 1 each and at most {MostBytes:N0} "
                        + $"bytes in all.", isUsage: true);
            sizes[d] = (int)size;
        }

        var (data, filled) = ReadUpTo(stream, (int)total);
        return new IdxFile(sizes, filled == total ? data : data[..filled], filled == total);
    }

    /// <summary>Grows with what really comes, so that a header alone claims no memory.</summary>
    private static (byte[] Data, int Filled) ReadUpTo(Stream stream, int total)
    {
        var data = new byte[Math.Min(total, 1 << 20)];
        var filled = 0;
        try
        {
            while (filled < total)
            {
                if (filled == data.Length) Array.Resize(ref data, (int)Math.Min(total, 2L * data.Length));
                var read = stream.Read(data, filled, data.Length - filled);
                if (read == 0) break;
                filled += read;
            }
        }
        catch (InvalidDataException)
        {
            // A damaged gzip stream ends here; what came before it is told apart by its length.
        }

        return (data, filled);
    }
}
