using System.Buffers.Binary;

namespace JepaSharp.Weights;

/// <summary>NumPy's type of a single number in a pickle, by its code: "f8".</summary>
internal sealed record PickledNumber(string Code)
{
    /// <summary>The number that these bytes are, a double, a long or a bool; null where the code or their length is none that is known.</summary>
    public object? Of(byte[] bytes) => (Code, bytes.Length) switch
    {
        ("f8", 8) => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        ("f4", 4) => (double)BinaryPrimitives.ReadSingleLittleEndian(bytes),
        ("i8", 8) => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        ("i4", 4) => (long)BinaryPrimitives.ReadInt32LittleEndian(bytes),
        ("b1", 1) => bytes[0] != 0,
        _ => null,
    };

    /// <summary>Whether a state of the type is that of little-endian numbers, as every machine that trains writes them.</summary>
    public static bool IsLittle(object?[] state) => state is [long, "<" or "|" or "=", null, null, null, ..];
}
