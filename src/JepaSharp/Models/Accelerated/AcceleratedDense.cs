using JepaSharp.Kernels;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>An affine layer that runs on the CPU kernels.</summary>
internal sealed unsafe class AcceleratedDense : IDisposable
{
    private readonly ParameterHandles _handles;
    private readonly IDenseKernel _kernel;
    private readonly int _outputs;
    private readonly bool _trained;

    public AcceleratedDense(Dense dense, ScalarType precision, bool trained)
    {
        _trained = trained;
        _handles = new ParameterHandles(trained);
        var memory = _handles.Of(dense);
        _outputs = memory.Outputs;
        _kernel = precision == ScalarType.BFloat16
            ? new DenseKernel<Brain16>(memory, trained, WorkerThreads.Shared)
            : new DenseKernel<Single32>(memory, trained, WorkerThreads.Shared);
        _kernel.Refresh();
    }

    /// <summary>Whether the layer's shape fits the kernels.</summary>
    public static bool Fits(Dense dense) => dense.Weight.shape[0] % 16 == 0;

    /// <summary>Packs the weight as it is now.</summary>
    public void Refresh() => _kernel.Refresh();

    /// <summary>Whether it can run here: without gradients, or with a tape to record on.</summary>
    public bool CanRun(Tensor x) => GradientTape.Allows(_trained, x);

    /// <summary>[..., in] -> [..., out], float32.</summary>
    /// <param name="x">Numbers of any type.</param>
    /// <param name="table">float32 [count, out], rows of which are added; null for none. No gradient reaches it.</param>
    /// <param name="chosen">int64 [rows]: which row of the table to add to each; null: one after the other, over and over.</param>
    public Tensor Forward(Tensor x, Tensor? table = null, Tensor? chosen = null)
    {
        var input = x.to(float32).contiguous();
        long width = input.shape[^1];
        var rows = (nint)(input.numel() / width);
        var output = empty([.. input.shape[..^1], _outputs], float32, CPU);
        var added = table is null ? default : new RowTable(TensorMemory.Floats(table), (nint)table.shape[0], chosen is null ? null : TensorMemory.Integers(chosen));
        _kernel.Forward(TensorMemory.Floats(input), rows, TensorMemory.Floats(output), added);
        if (!is_grad_enabled() || GradientTape.Current is not { } tape || !_trained) return output;

        var (from, wanted, shape) = ((nint)TensorMemory.Floats(input), input.requires_grad, input.shape);
        return tape.Record(input, output, Backward, () => { });
        Tensor? Backward(Tensor gradient)
        {
            var inward = wanted ? empty(shape, float32, CPU) : null;
            _kernel.Backward((float*)from, rows, TensorMemory.Floats(gradient), inward is null ? null : TensorMemory.Floats(inward));
            return inward;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _kernel.Dispose();
        _handles.Dispose();
    }
}
