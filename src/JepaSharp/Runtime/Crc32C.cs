using System.Buffers.Binary;
using System.Numerics;

namespace JepaSharp.Runtime;

/// <summary>CRC-32C (Castagnoli, 1993; RFC 3720), with the processor's own instruction where it has one: of packs, weights and features, and masked
/// of TFRecord files.</summary>
internal static class Crc32C
{
    /// <summary>The plain checksum: of "123456789" it is e3069283.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>Continues a checksum over more bytes; begin with 0.</summary>
    public static uint Append(uint checksum, ReadOnlySpan<byte> bytes)
    {
        var crc = ~checksum;
        for (; bytes.Length >= 8; bytes = bytes[8..]) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var one in bytes) crc = BitOperations.Crc32C(crc, one);
        return ~crc;
    }

    /// <summary>rotate_right(crc, 15) + a282ead8, so that a checksum over data that holds checksums stays sound.</summary>
    public static uint Masked(ReadOnlySpan<byte> bytes) => BitOperations.RotateRight(Of(bytes), 15) + 0xa282ead8u;
}
