using JepaSharp.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>A stack of transformer blocks that runs on the CPU kernels.</summary>
internal sealed unsafe class AcceleratedBlocks : IDisposable
{
    private readonly ParameterHandles _handles;
    private readonly ITransformerKernel _kernel;
    private readonly RelativeScores? _relative;
    private readonly int _width;
    private readonly bool _trained;

    public AcceleratedBlocks(BlockStack stack, KernelUse use, bool keepPanels)
    {
        var trained = use.Trained;
        (_width, _trained) = (stack.Width, trained);
        _handles = new ParameterHandles(trained);
        var memory = stack.Select(b => b.Memory(_handles)).ToList();
        _handles.Refresh();
        _relative = stack.Relative is { } relative ? new RelativeScores(relative, stack.Width / stack.Heads, _handles) : null;
        var bias = _relative?.Memory ?? default;
        var shape = new StackShape(stack.Width, stack.Heads, (float)LayerNormalization.Epsilon);
        ITransformerKernel Of<T>()
            where T : struct, IElement => new TransformerKernel<T>(shape, memory, trained, keepPanels, WorkerThreads.Shared, use.Checkpoint, bias);
        _kernel = use.Computation.Products switch
        {
            ProductMethod.PairDots => Of<Brain16>(),
            ProductMethod.Widened => Of<Widened16>(),
            ProductMethod.AmxTiles => Of<Tiled16>(),
            _ => Of<Single32>(),
        };
    }

    /// <summary>Why blocks cannot run on the kernels; null where they can.</summary>
    public static string? Misfit(BlockStack stack) =>
        stack.Count == 0 ? "no blocks"
        : stack.Width % 16 != 0 ? $"width {stack.Width} is not a multiple of 16"
        : stack.Hidden % 16 != 0 ? $"MLP width {stack.Hidden} is not a multiple of 16"
        : null;

    /// <summary>Whether it has gradients.</summary>
    public bool IsTrained => _trained;

    /// <summary>Packs the weights as they are now.</summary>
    public void Refresh()
    {
        _handles.Refresh();
        _relative?.Refresh();
        _kernel.Refresh();
    }

    /// <summary>Whether it can run here: without gradients, or with a tape to record on; and on the grid of the relative positions, where there are
    /// any.</summary>
    public bool CanRun(Tensor x) => (_relative is null || _relative.Tokens == x.shape[1]) && GradientTape.Allows(_trained, x);

    /// <summary>[S, N, D] -> [S, N, D], or [wanted, D] where not every token is wanted.</summary>
    /// <param name="tokens">float32.</param>
    /// <param name="wanted">For each sequence the tokens whose outputs are wanted, ascending; null for all.</param>
    /// <param name="factors">What branches are multiplied by where gradients are recorded, [blocks, 2, S]; null for 1.</param>
    public Tensor Forward(Tensor tokens, IReadOnlyList<int[]>? wanted = null, float[]? factors = null)
    {
        var input = tokens.to(float32).contiguous();
        var layout = new SequenceLayout((int)input.shape[0], (int)input.shape[1], wanted);
        var output = wanted is null ? empty(input.shape, float32, CPU) : empty([layout.WantedRows, _width], float32, CPU);
        float* from = TensorMemory.Floats(input), to = TensorMemory.Floats(output);
        if (!is_grad_enabled() || GradientTape.Current is not { } tape || !_trained)
        {
            _kernel.Infer(layout, from, to);
            return output;
        }

        var pass = _kernel.Forward(layout, from, to, factors is null ? null : new BranchFactors(factors, layout.Sequences));
        var shape = input.shape;
        return tape.Record(input, output, Backward, () => _kernel.Release(pass));
        Tensor? Backward(Tensor gradient)
        {
            var inward = empty(shape, float32, CPU);
            // Where some tokens alone are wanted the kernel changes the gradient, which may be somebody else's too.
            _kernel.Backward(pass, TensorMemory.Floats(layout.Wanted is null ? gradient : gradient.clone()), TensorMemory.Floats(inward));
            _handles.Collect();
            return inward;
        }
    }

    /// <summary>Blocks <paramref name="first"/> to <paramref name="end"/> - 1 without gradients. [S, N, D] -> [S, N, D].</summary>
    public Tensor Infer(Tensor tokens, int first, int end)
    {
        var input = tokens.to(float32).contiguous();
        var output = empty(input.shape, float32, CPU);
        _kernel.Infer(
            new SequenceLayout((int)input.shape[0], (int)input.shape[1]), TensorMemory.Floats(input), TensorMemory.Floats(output), first, end);
        return output;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _kernel.Dispose();
        _relative?.Dispose();
        _handles.Dispose();
    }
}

/// <summary>Hands parameters' memory to kernels, and keeps it from being freed meanwhile.</summary>
internal sealed unsafe class ParameterHandles(bool trained) : IDisposable
{
    private readonly List<Tensor> _kept = [];
    private readonly List<DerivedDense> _derived = [];

    /// <summary>Where the values and, in training, the gradients lie; a gradient that is not there yet is made, zero.</summary>
    public ParameterMemory Of(Parameter parameter)
    {
        var values = Keep(parameter.detach());
        if (!trained) return new ParameterMemory(values, null);
        if (parameter.grad is null) parameter.grad = zeros_like(parameter).DetachFromDisposeScope();
        return new ParameterMemory(values, Keep(parameter.grad!.detach()));
    }

    /// <summary>An affine layer's parameters.</summary>
    public DenseMemory Of(Dense dense)
    {
        var shape = dense.Weight.shape;
        return new DenseMemory(Of(dense.Weight), Of(dense.Bias), (int)shape[0], (int)(dense.Weight.numel() / shape[0]));
    }

    /// <summary>An affine layer's whose output is multiplied by a number for each column, where there is such a scale.</summary>
    public DenseMemory Of(Dense dense, Parameter? scale) => scale is null ? Of(dense) : Derived(new ScaledDense(dense, scale, trained));

    /// <summary>Those of the layer for queries, keys and values of which the keys have no bias.</summary>
    public DenseMemory WithoutKeyBias(Dense dense, Parameter query, Parameter value) => Derived(new KeylessDense(dense, query, value, trained));

    /// <summary>Brings what is made of several parameters up to date.</summary>
    public void Refresh()
    {
        foreach (var derived in _derived) derived.Refresh();
    }

    /// <summary>Adds the gradients of what is made of several parameters to theirs.</summary>
    public void Collect()
    {
        foreach (var derived in _derived) derived.Collect();
    }

    /// <summary>A norm's parameters.</summary>
    public NormMemory Of(LayerNormalization norm) => new(Of(norm.Weight), Of(norm.Bias));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _kept) tensor.Dispose();
        foreach (var derived in _derived) derived.Dispose();
        _kept.Clear();
        _derived.Clear();
    }

    private DenseMemory Derived(DerivedDense derived)
    {
        _derived.Add(derived);
        return derived.Memory(this);
    }

    private float* Keep(Tensor tensor)
    {
        _kept.Add(tensor.DetachFromDisposeScope());
        return TensorMemory.Floats(tensor);
    }
}
