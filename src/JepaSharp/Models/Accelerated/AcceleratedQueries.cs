using JepaSharp.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>A predictor's tokens, put together by the CPU kernels.</summary>
internal sealed unsafe class AcceleratedQueries : IDisposable
{
    private readonly ParameterHandles _handles;
    private readonly ParameterMemory _mask;
    private readonly QueryKernel _kernel;
    private readonly int _width;
    private readonly bool _trained;

    public AcceleratedQueries(Parameter maskToken, bool trained)
    {
        (_width, _trained) = ((int)maskToken.numel(), trained);
        _handles = new ParameterHandles(trained);
        _mask = _handles.Of(maskToken);
        _kernel = new QueryKernel(_width, WorkerThreads.Shared);
    }

    /// <summary>Why a predictor's tokens cannot be put together by the kernels; null where they can.</summary>
    public static string? Misfit(Parameter maskToken) => maskToken.numel() % 16 == 0 ? null : $"width {maskToken.numel()} is not a multiple of 16";

    /// <summary>Whether it can run here: without gradients, or with a tape to record on.</summary>
    public bool CanRun(Tensor x) => GradientTape.Allows(_trained, x);

    /// <summary>Contexts [S, Kc, D] -> tokens [Mt S, Kc + Kt, D].</summary>
    /// <param name="contexts">float32.</param>
    /// <param name="positions">float32 [N, D].</param>
    /// <param name="asked">Mt sets of Kt patches an image.</param>
    public Tensor Forward(Tensor contexts, Tensor positions, PatchSelection asked)
    {
        var input = contexts.contiguous();
        var layout = new QueryLayout(asked.Sets, (int)input.shape[0], asked.Images, (int)input.shape[1], asked.PatchesPerSet);
        var output = empty([(long)layout.Sets * layout.Sequences, layout.Known + layout.Asked, _width], float32, CPU);
        _kernel.Forward(layout, TensorMemory.Floats(input), _mask.Values, TensorMemory.Floats(positions), TensorMemory.Integers(asked.Patches),
            TensorMemory.Floats(output));
        if (!is_grad_enabled() || GradientTape.Current is not { } tape || !_trained) return output;

        var shape = input.shape;
        return tape.Record(input, output, Backward, () => { });
        Tensor? Backward(Tensor gradient)
        {
            var inward = empty(shape, float32, CPU);
            _kernel.Backward(layout, TensorMemory.Floats(gradient), TensorMemory.Floats(inward), _mask.Gradient);
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
