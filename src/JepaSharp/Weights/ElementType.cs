using System.Collections.Frozen;
using static TorchSharp.torch;

namespace JepaSharp.Weights;

/// <summary>The element types that weights files hold: their names in each format and their sizes in bytes.</summary>
internal static class ElementType
{
    private static readonly (ScalarType Type, string Safetensors, string Python, string Storage, int Size)[] Table =
    [
        (ScalarType.Float32, "F32", "float32", "FloatStorage", 4),
        (ScalarType.Float16, "F16", "float16", "HalfStorage", 2),
        (ScalarType.BFloat16, "BF16", "bfloat16", "BFloat16Storage", 2),
        (ScalarType.Float64, "F64", "float64", "DoubleStorage", 8),
        (ScalarType.Int64, "I64", "int64", "LongStorage", 8),
        (ScalarType.Int32, "I32", "int32", "IntStorage", 4),
        (ScalarType.Int16, "I16", "int16", "ShortStorage", 2),
        (ScalarType.Int8, "I8", "int8", "CharStorage", 1),
        (ScalarType.Byte, "U8", "uint8", "ByteStorage", 1),
        (ScalarType.Bool, "BOOL", "bool", "BoolStorage", 1),
    ];

    private static readonly FrozenDictionary<ScalarType, int> Sizes = Table.ToFrozenDictionary(row => row.Type, row => row.Size);
    private static readonly FrozenDictionary<string, ScalarType> BySafetensorsName =
        Table.ToFrozenDictionary(row => row.Safetensors, row => row.Type);
    private static readonly FrozenDictionary<string, ScalarType> ByPythonName = Table.ToFrozenDictionary(row => row.Python, row => row.Type);
    private static readonly FrozenDictionary<string, ScalarType> ByStorageName = Table.ToFrozenDictionary(row => row.Storage, row => row.Type);

    /// <summary>The names in safetensors headers, for messages.</summary>
    public static string SafetensorsNames { get; } = string.Join(" ", Table.Select(row => row.Safetensors));

    public static bool IsKnown(ScalarType type) => Sizes.ContainsKey(type);

    public static int Size(ScalarType type) => Sizes[type];

    /// <summary>"float32", as Python and config.json write it.</summary>
    public static string Name(ScalarType type) => Table.First(row => row.Type == type).Python;

    /// <summary>"F32".</summary>
    public static string SafetensorsName(ScalarType type) => Table.First(row => row.Type == type).Safetensors;

    public static bool TryFromSafetensors(string name, out ScalarType type) => BySafetensorsName.TryGetValue(name, out type);

    /// <summary>From "float32", the attribute of the torch module.</summary>
    public static bool TryFromPython(string name, out ScalarType type) => ByPythonName.TryGetValue(name, out type);

    /// <summary>From "FloatStorage", the class of the torch module.</summary>
    public static bool TryFromStorage(string name, out ScalarType type) => ByStorageName.TryGetValue(name, out type);

    /// <summary>The number of elements of a shape; false if a dimension is negative or the product, times 8 bytes, passes 2^63.</summary>
    public static bool TryCount(IReadOnlyList<long> shape, out long count)
    {
        count = 1;
        foreach (var size in shape)
        {
            if (size < 0 || (size > 0 && count > long.MaxValue / 8 / size)) return false;
            count *= size;
        }

        return true;
    }
}
