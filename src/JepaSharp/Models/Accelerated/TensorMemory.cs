using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>Where a tensor's numbers lie.</summary>
internal static unsafe class TensorMemory
{
    /// <summary>The first number of a float32 tensor in main memory whose numbers lie one after the other.</summary>
    /// <remarks>Valid as long as libtorch keeps the tensor's memory: hold a handle to it.</remarks>
    /// <exception cref="ArgumentException">It is none such.</exception>
    public static float* Floats(Tensor tensor)
    {
        if (tensor.dtype != ScalarType.Float32 || tensor.device_type != DeviceType.CPU || !tensor.is_contiguous())
            throw new ArgumentException($"Expected contiguous float32 in main memory, found {tensor.dtype} [{string.Join(", ", tensor.shape)}] on {tensor.device_type}.", nameof(tensor));
        return (float*)First(tensor);
    }

    /// <summary>The first number of an int64 tensor in main memory whose numbers lie one after the other.</summary>
    /// <exception cref="ArgumentException">It is none such.</exception>
    public static long* Integers(Tensor tensor)
    {
        if (tensor.dtype != ScalarType.Int64 || tensor.device_type != DeviceType.CPU || !tensor.is_contiguous())
            throw new ArgumentException($"Expected contiguous int64 in main memory, found {tensor.dtype} [{string.Join(", ", tensor.shape)}] on {tensor.device_type}.", nameof(tensor));
        return (long*)First(tensor);
    }

    private static byte* First(Tensor tensor)
    {
        // A tensor may be longer than a span.
        if (tensor.numel() > int.MaxValue / sizeof(long))
        {
            using var one = tensor.view(-1).narrow(0, 0, 1);
            fixed (byte* first = one.bytes) return first;
        }

        fixed (byte* first = tensor.bytes) return first;
    }
}
