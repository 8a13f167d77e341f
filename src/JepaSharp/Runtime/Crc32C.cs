using System.IO.Hashing;
using System.Numerics;

namespace JepaSharp.Runtime;

/// <summary>CRC-32C (Castagnoli, 1993; RFC 3720): of packs, and in a masked form of TFRecord files.</summary>
internal static class Crc32C
{
    /// <summary>The plain checksum: of "123456789" it is e3069283.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => Crc32.HashToUInt32(Crc32ParameterSet.Crc32C, bytes);

    /// <summary>rotate_right(crc, 15) + a282ead8, so that a checksum over data that holds checksums stays sound.</summary>
    public static uint Masked(ReadOnlySpan<byte> bytes) => BitOperations.RotateRight(Of(bytes), 15) + 0xa282ead8u;
}
