using JepaSharp.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>Targets and their distance from predictions, on the CPU kernels.</summary>
internal static unsafe class AcceleratedDistance
{
    /// <summary>Whether both are float32 in main memory, on a machine that has the kernels.</summary>
    public static bool CanRun(Tensor predictions, Tensor targets) => KernelSupport.Singles && Fits(predictions) && Fits(targets) && targets.is_contiguous();

    /// <summary>The mean distance times <paramref name="weight"/>, and its gradient per prediction, of the predictions' shape.</summary>
    /// <param name="predictions">float32.</param>
    /// <param name="targets">float32, of the same shape.</param>
    /// <param name="smooth">Smooth L1 with β = 1, rather than the square.</param>
    /// <param name="weight">Share of the step.</param>
    public static (double Value, Tensor Gradient) Of(Tensor predictions, Tensor targets, bool smooth, double weight)
    {
        if (!predictions.shape.AsSpan().SequenceEqual(targets.shape))
            throw new ArgumentException($"Predictions of shape [{string.Join(", ", predictions.shape)}] for targets of [{string.Join(", ", targets.shape)}].", nameof(targets));
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var from = predictions.detach().contiguous();
        var gradient = empty_like(from);
        var count = (nint)from.numel();
        var value = DistanceKernel.Run(TensorMemory.Floats(from), TensorMemory.Floats(targets), count, smooth, weight / count, TensorMemory.Floats(gradient), WorkerThreads.Shared);
        return (value, gradient.MoveToOuterDisposeScope());
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

    private static bool Fits(Tensor tensor) => tensor.dtype == ScalarType.Float32 && tensor.device_type == DeviceType.CPU;
}
