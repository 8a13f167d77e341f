using System.Numerics;

namespace JepaSharp.Training.Progress;

/// <summary>CRC-32C (Castagnoli, RFC 3720 B.4), and the masked form that TFRecord files store.</summary>
internal static class MaskedCrc32C
{
    /// <summary>The plain checksum: of "123456789" it is e3069283.</summary>
    public static uint Plain(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var b in data) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }

    /// <summary>rotate_right(crc, 15) + a282ead8, so that a checksum over data that holds checksums stays sound.</summary>
    public static uint Masked(ReadOnlySpan<byte> data) => BitOperations.RotateRight(Plain(data), 15) + 0xa282ead8u;
}
