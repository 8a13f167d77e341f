namespace JepaSharp.Weights;

/// <summary>Compares dictionary keys from pickles: texts, whole numbers, floats and booleans.</summary>
/// <remarks>The hashes are seeded by the process, so that no file can be made to collide.</remarks>
internal sealed class PickleKeys : IEqualityComparer<object>
{
    public static readonly PickleKeys Instance = new();

    /// <summary>Whether a value may be a key.</summary>
    public static bool IsKey(object? value) => value is string or long or bool or double;

    bool IEqualityComparer<object>.Equals(object? x, object? y) => Equals(x, y);

    int IEqualityComparer<object>.GetHashCode(object key) => key switch
    {
        long whole => HashCode.Combine((int)whole, (int)(whole >> 32)),
        double number => HashCode.Combine((int)BitConverter.DoubleToInt64Bits(number), (int)(BitConverter.DoubleToInt64Bits(number) >> 32)),
        _ => key.GetHashCode(),
    };
}
