using JepaSharp.Kernels;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>A layer norm that runs on the CPU kernels.</summary>
internal sealed unsafe class AcceleratedNorm : IDisposable
{
    private readonly ParameterHandles _handles;
    private readonly NormMemory _memory;
    private readonly NormKernel _kernel;
    private readonly bool _trained;

    public AcceleratedNorm(LayerNormalization norm, bool trained)
    {
        _trained = trained;
        _handles = new ParameterHandles(trained);
        _memory = _handles.Of(norm);
        _kernel = new NormKernel((int)norm.Weight.numel(), (float)LayerNormalization.Epsilon, WorkerThreads.Shared);
    }

    /// <summary>Why a norm cannot run on the kernels; null where it can.</summary>
    public static string? Misfit(LayerNormalization norm) =>
        norm.Weight.numel() % 16 == 0 ? null : $"width {norm.Weight.numel()} is not a multiple of 16";

    /// <summary>Whether it can run here: without gradients, or with a tape to record on.</summary>
    public bool CanRun(Tensor x) => GradientTape.Allows(_trained, x);

    /// <summary>[..., D] -> [..., D], float32.</summary>
    public Tensor Forward(Tensor x)
    {
        var input = x.to(float32).contiguous();
        var output = empty(input.shape, float32, CPU);
        var rows = (nint)(input.numel() / input.shape[^1]);
        _kernel.Forward(TensorMemory.Floats(input), null, rows, _memory, TensorMemory.Floats(output));
        if (!is_grad_enabled() || GradientTape.Current is not { } tape || !_trained) return output;

        var (from, shape) = ((nint)TensorMemory.Floats(input), input.shape);
        return tape.Record(input, output, Backward, () => { });
        Tensor? Backward(Tensor gradient)
        {
            var inward = empty(shape, float32, CPU);
            _kernel.Backward((float*)from, rows, _memory, TensorMemory.Floats(gradient), TensorMemory.Floats(inward));
            return inward;
        }
    }

    /// <summary>Chosen rows alone, without gradients. [rows, D] -> [chosen, D].</summary>
    /// <param name="x">float32.</param>
    /// <param name="chosen">int64: which rows.</param>
    public Tensor Choose(Tensor x, Tensor chosen)
    {
        var output = empty([chosen.numel(), x.shape[^1]], float32, CPU);
        _kernel.Forward(
            TensorMemory.Floats(x.contiguous()), TensorMemory.Integers(chosen), (nint)chosen.numel(), _memory, TensorMemory.Floats(output));
        return output;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _kernel.Dispose();
        _handles.Dispose();
    }
}
