using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace JepaSharp.Data.Augmentation;

/// <summary>Four RGB pixels of one byte a channel, taken apart into channels and put together again.</summary>
internal static class FourPixels
{
    /// <summary>Bytes of four pixels.</summary>
    public const int Bytes = 12;

    /// <summary>Bytes that reading takes: the last four are not looked at.</summary>
    public const int Read = 16;

    // Places that are no byte's give 0.
    private const byte No = 255;

    /// <summary>How many bytes at the front can be done by fours; the rest is done one by one.</summary>
    public static int Whole(int bytes) => !Vector128.IsHardwareAccelerated || bytes < Read ? 0 : ((bytes - Read) / Bytes * Bytes) + Bytes;

    /// <summary>Red, green and blue of four pixels, 0 to 255.</summary>
    public static (Vector128<int> Red, Vector128<int> Green, Vector128<int> Blue) Of(ReadOnlySpan<byte> pixels)
    {
        var bytes = Vector128.Create<byte>(pixels);
        return (
            Vector128.Shuffle(bytes, Vector128.Create((byte)0, No, No, No, 3, No, No, No, 6, No, No, No, 9, No, No, No)).AsInt32(),
            Vector128.Shuffle(bytes, Vector128.Create((byte)1, No, No, No, 4, No, No, No, 7, No, No, No, 10, No, No, No)).AsInt32(),
            Vector128.Shuffle(bytes, Vector128.Create((byte)2, No, No, No, 5, No, No, No, 8, No, No, No, 11, No, No, No)).AsInt32());
    }

    /// <summary>Writes four pixels.</summary>
    /// <param name="red">0 to 255.</param>
    /// <param name="green">0 to 255.</param>
    /// <param name="blue">0 to 255.</param>
    /// <param name="pixels">Where to.</param>
    public static void Write(Vector128<int> red, Vector128<int> green, Vector128<int> blue, Span<byte> pixels)
    {
        var together = (red | (green << 8) | (blue << 16)).AsByte();
        var close = Vector128.Shuffle(together, Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, No, No, No, No));
        BinaryPrimitives.WriteUInt64LittleEndian(pixels, close.AsUInt64()[0]);
        BinaryPrimitives.WriteUInt32LittleEndian(pixels[8..], close.AsUInt32()[2]);
    }
}
