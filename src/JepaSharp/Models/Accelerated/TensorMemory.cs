using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>Where a tensor's numbers lie.</summary>
internal static unsafe class TensorMemory
{
    /// <summary>The first number of a float32 tensor in main memory whose numbers lie one after the other.</summary>
    /// <remarks>Valid as long as the engine keeps the tensor's memory: hold a handle to it.</remarks>
    /// <exception cref="ArgumentException">It is none such.</exception>
    public static float* Floats(Tensor tensor)
    {
        if (tensor.dtype != ScalarType.Float32 || tensor.device_type != DeviceType.CPU || !tensor.is_contiguous())
            throw new ArgumentException($"Expected contiguous float32 in main memory, found {tensor.dtype} [{string.Join(", ", tensor.shape)}] on {tensor.device_type}.", nameof(tensor));
        fixed (byte* first = tensor.bytes) return (float*)first;
    }
}
