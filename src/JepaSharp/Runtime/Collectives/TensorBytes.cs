using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Runtime.Collectives;

/// <summary>Works on what is changed in place.</summary>
/// <typeparam name="T">A number.</typeparam>
/// <param name="values">Changed.</param>
internal delegate void SpanChange<T>(Span<T> values);

/// <summary>A tensor's memory as plain numbers; of a tensor elsewhere, that of a copy which goes back.</summary>
internal static class TensorBytes
{
    // A tensor may be longer than a span.
    private const long MostNumbers = 1 << 27;

    /// <summary>Lets its bytes be changed, a part at a time where there are many.</summary>
    public static void Change(Tensor tensor, SpanChange<byte> change)
    {
        using var untracked = no_grad();
        using var scope = NewDisposeScope();
        var isHere = tensor.device_type == DeviceType.CPU && tensor.is_contiguous();
        var here = isHere ? tensor : tensor.detach().cpu().contiguous().clone();
        var flat = here.detach().view(-1);
        for (long at = 0; at < flat.numel(); at += MostNumbers)
        {
            using var part = flat.narrow(0, at, Math.Min(MostNumbers, flat.numel() - at));
            change(part.bytes);
        }

        if (!isHere) _ = tensor.copy_(here);
    }

    /// <summary>Lets its float32 numbers be changed, a part at a time where there are many.</summary>
    public static void ChangeFloats(Tensor tensor, SpanChange<float> change)
    {
        if (tensor.dtype != ScalarType.Float32) throw new ArgumentException($"Sums are over float32, not {tensor.dtype}.", nameof(tensor));
        Change(tensor, bytes => change(MemoryMarshal.Cast<byte, float>(bytes)));
    }
}
