using System.Text;
using static TorchSharp.torch;

namespace JepaSharp.Weights;

/// <summary>A named thing that a pickle may mention. It stands for what the reader itself does; nothing is looked up or called by name.</summary>
internal sealed record PickleGlobal(string Name, PickleGlobalKind Kind, ScalarType Type = ScalarType.Byte);

/// <summary>What an allowed global means.</summary>
internal enum PickleGlobalKind
{
    OrderedDictionary,
    RebuildTensor,
    RebuildParameter,
    Storage,
    ElementType,
    Size,
    Device,
    Set,
    Encode,

    /// <summary>A number as NumPy keeps it: its type and its bytes.</summary>
    NumberOfType,

    /// <summary>NumPy's description of such a type.</summary>
    NumberType,

    /// <summary>Python's bag of command-line arguments: what it holds is passed over.</summary>
    Namespace,
}

/// <summary>The complete list of globals that a checkpoint may mention.</summary>
internal static class PickleGlobals
{
    /// <summary>Looks a global up.</summary>
    /// <returns>Null if it is not allowed.</returns>
    public static PickleGlobal? Find(string module, string name)
    {
        var full = $"{module}.{name}";
        PickleGlobalKind? kind = full switch
        {
            "collections.OrderedDict" => PickleGlobalKind.OrderedDictionary,
            "torch._utils._rebuild_tensor_v2" => PickleGlobalKind.RebuildTensor,
            "torch._utils._rebuild_parameter" => PickleGlobalKind.RebuildParameter,
            "torch.Size" => PickleGlobalKind.Size,
            "torch.device" => PickleGlobalKind.Device,
            "builtins.set" or "__builtin__.set" or "builtins.frozenset" or "__builtin__.frozenset" => PickleGlobalKind.Set,
            "_codecs.encode" => PickleGlobalKind.Encode, // how protocol 2 writes bytes: a text and 'latin1'
            // a learning rate that was computed with NumPy, as DINO's optimizer keeps it
            "numpy.core.multiarray.scalar" or "numpy._core.multiarray.scalar" => PickleGlobalKind.NumberOfType,
            "numpy.dtype" => PickleGlobalKind.NumberType,
            "argparse.Namespace" => PickleGlobalKind.Namespace, // what programs such as MAE's were started with
            _ => null,
        };
        if (kind is { } found) return new PickleGlobal(full, found);
        if (module != "torch") return null;
        if (ElementType.TryFromStorage(name, out var type)) return new PickleGlobal(full, PickleGlobalKind.Storage, type);
        return ElementType.TryFromPython(name, out type) ? new PickleGlobal(full, PickleGlobalKind.ElementType, type) : null;
    }

    /// <summary>The bytes that <c>_codecs.encode(text, 'latin1')</c> gives, or null if these are not its arguments.</summary>
    public static byte[]? Encode(IReadOnlyList<object?> arguments) =>
        arguments is [string text, "latin1" or "latin-1"] && text.All(c => c <= byte.MaxValue) ? Encoding.Latin1.GetBytes(text) : null;
}

/// <summary>A type of NumPy's numbers: one letter for the kind and the number of bytes, such as f8.</summary>
/// <param name="Code">The letter and the number.</param>
internal sealed record NumberType(string Code)
{
    /// <summary>A type that is known here; null for others.</summary>
    public static NumberType? Of(string code) => code is "f4" or "f8" or "i4" or "i8" or "b1" ? new NumberType(code) : null;

    /// <summary>Whether bytes are in the order of this description's state: (3, '&lt;' or '|', ...).</summary>
    public static bool IsLittleEndian(IReadOnlyList<object?> state) => state is [long, "<" or "|" or "=", ..];

    /// <summary>The number: double, long or bool. Null where the bytes are not of its length.</summary>
    public object? Read(byte[] bytes) => (Code, bytes.Length) switch
    {
        ("f4", 4) => (double)BitConverter.ToSingle(bytes),
        ("f8", 8) => BitConverter.ToDouble(bytes),
        ("i4", 4) => (long)BitConverter.ToInt32(bytes),
        ("i8", 8) => BitConverter.ToInt64(bytes),
        ("b1", 1) => bytes[0] != 0,
        _ => null,
    };
}
