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

    /// <summary>Python's bag of command-line arguments: what it holds is passed over.</summary>
    Namespace,

    /// <summary>NumPy's element types.</summary>
    NumberType,

    /// <summary>A single number of NumPy's, such as a learning rate.</summary>
    Number,
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
            "argparse.Namespace" => PickleGlobalKind.Namespace, // what programs such as MAE's were started with
            "numpy.dtype" => PickleGlobalKind.NumberType,
            "numpy._core.multiarray.scalar" or "numpy.core.multiarray.scalar" => PickleGlobalKind.Number,
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
