using JepaSharp.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>Targets and their distance from predictions, on the CPU kernels.</summary>
internal static unsafe class AcceleratedDistance
{
    /// <summary>Whether it can run here: float32 in main memory, and a tape that records and whose numbers the host reads at once.</summary>
    public static bool CanRecord(Tensor predictions, Tensor targets) =>
        KernelSupport.Singles && GradientTape.Current is { IsReadAtOnce: true } && is_grad_enabled() && predictions.requires_grad
        && Fits(predictions) && Fits(targets) && targets.is_contiguous();

    /// <summary>The mean distance, and on the tape how to take it backward. -> [] float64.</summary>
    /// <param name="predictions">float32.</param>
    /// <param name="targets">float32, of the same shape.</param>
    /// <param name="smooth">Smooth L1 with β = 1, rather than the square.</param>
    public static Tensor Record(Tensor predictions, Tensor targets, bool smooth)
    {
        if (!predictions.shape.AsSpan().SequenceEqual(targets.shape))
            throw new ArgumentException($"Predictions of shape [{Shape(predictions)}] for targets of [{Shape(targets)}].", nameof(targets));
        using var scope = NewDisposeScope();
        var from = predictions.detach().contiguous();
        var (place, other, count) = ((nint)TensorMemory.Floats(from), (nint)TensorMemory.Floats(targets), (nint)from.numel());
        Tensor[] kept = [from.DetachFromDisposeScope(), targets.alias().DetachFromDisposeScope()];
        var value = DistanceKernel.Run((float*)place, (float*)other, count, smooth, 1.0 / count, null, WorkerThreads.Shared);
        return GradientTape.Current!.Record(predictions, tensor(value, float64), Backward, Release).MoveToOuterDisposeScope();

        Tensor? Backward(Tensor gradient)
        {
            var inward = empty_like(from);
            var scale = gradient.item<double>();
            _ = DistanceKernel.Run((float*)place, (float*)other, count, smooth, scale / count, TensorMemory.Floats(inward), WorkerThreads.Shared);
            Release();
            return inward;
        }

        void Release()
        {
            foreach (var tensor in kept) tensor.Dispose();
        }
    }

    /// <summary>Whether <see cref="Normalize"/> can run here.</summary>
    public static bool CanNormalize(Tensor h) => KernelSupport.Singles && Fits(h) && h.shape[^1] % 16 == 0 && !is_grad_enabled();

    /// <summary>Layer norm over the last axis without scale and shift. [..., D] -> [..., D].</summary>
    /// <param name="h">float32.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public static Tensor Normalize(Tensor h, double epsilon)
    {
        using var scope = NewDisposeScope();
        var input = h.contiguous();
        var output = empty_like(input);
        using var kernel = new NormKernel((int)input.shape[^1], (float)epsilon, WorkerThreads.Shared);
        kernel.Forward(TensorMemory.Floats(input), null, (nint)(input.numel() / input.shape[^1]), null, TensorMemory.Floats(output));
        return output.MoveToOuterDisposeScope();
    }

    private static string Shape(Tensor tensor) => string.Join(", ", tensor.shape);

    private static bool Fits(Tensor tensor) => tensor.dtype == ScalarType.Float32 && tensor.device_type == DeviceType.CPU;
}
