using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>Shape of the work that computations are timed on: one transformer block of a network.</summary>
/// <param name="Width">D.</param>
/// <param name="Heads">A.</param>
/// <param name="Hidden">Width of the MLP.</param>
/// <param name="Tokens">N: tokens of a sequence.</param>
/// <param name="Trained">Whether gradients are wanted: forward and backward are timed, else forward alone.</param>
internal sealed record BlockShape(int Width, int Heads, int Hidden, int Tokens, bool Trained)
{
    private const int FewTokens = 64, ManyTokens = 256;

    // Contexts and targets have some tens of tokens, whole images some hundreds.
    private const int LongestSequence = 96;

    // A billion operations: some ten milliseconds of one core.
    private const double Operations = 1e9;

    /// <summary>That of an encoder's blocks.</summary>
    public static BlockShape Of(VisionTransformerShape shape, bool trained) =>
        new(shape.Width, shape.Heads, shape.MlpWidth, Math.Min(shape.Tokens, LongestSequence), trained);

    /// <summary>S: sequences of one timed pass, at least one a core and no more than takes a moment.</summary>
    /// <param name="cores">How many work on it.</param>
    public int Sequences(int cores)
    {
        var perToken = 2.0 * (Trained ? 3 : 1) * Width * ((4.0 * Width) + (2.0 * Hidden) + (2.0 * Tokens));
        return Math.Max(cores, (int)(cores * Math.Clamp(Operations / perToken, FewTokens, ManyTokens) / Tokens));
    }
}

/// <summary>One transformer block with invented weights, to time a computation on.</summary>
internal sealed class TimedBlock : ITimedWork
{
    private readonly BlockStack _stack;
    private readonly AttachedKernels? _kernels;
    private readonly List<IDisposable> _copies = [];
    private readonly Tensor _input, _gradient;
    private readonly bool _trained;

    /// <param name="shape">Of the block.</param>
    /// <param name="computation">How its products are done.</param>
    /// <param name="sequences">S; null for what takes a moment on all cores.</param>
    public TimedBlock(BlockShape shape, Computation computation, int? sequences = null)
    {
        _trained = shape.Trained;
        _stack = new BlockStack(1, shape.Width, shape.Heads, shape.Hidden);
        using var scope = NewDisposeScope();
        using (no_grad())
        {
            foreach (var parameter in _stack.parameters()) _ = parameter.copy_(Numbers(parameter.shape, parameter.dim() == 1 ? 0.5 : 0.05));
        }

        foreach (var parameter in _stack.parameters()) parameter.requires_grad = _trained;
        _input = Numbers([sequences ?? shape.Sequences(get_num_threads()), shape.Tokens, shape.Width], 1).DetachFromDisposeScope();
        _gradient = Numbers(_input.shape, 1).DetachFromDisposeScope();
        if (_trained) _input.requires_grad = true;
        if (computation.Products != ProductMethod.Libtorch)
        {
            // Weights are packed once: a step has so many more tokens that packing hardly counts in it.
            _kernels = AttachedKernels.To(_stack, new KernelUse(computation, _trained, WeightsChange: false));
        }
        else if (computation.Precision != ScalarType.Float32)
        {
            foreach (var dense in _stack.modules().OfType<Dense>()) dense.Use(Copy(dense, computation.Precision));
        }
    }

    /// <inheritdoc/>
    public string? Misfit => _kernels?.Missing is [var first, ..] ? first : null;

    /// <inheritdoc/>
    public void Run()
    {
        using var scope = NewDisposeScope();
        if (!_trained)
        {
            using var untracked = no_grad();
            _ = _stack.Forward(_input);
            return;
        }

        using var tape = GradientTape.Current is null ? GradientTape.Start() : null;
        _stack.Forward(_input).backward([_gradient]);
    }

    public void Dispose()
    {
        _kernels?.Dispose();
        foreach (var copy in _copies) copy.Dispose();
        _input.Dispose();
        _gradient.Dispose();
        _stack.Dispose();
    }

    private Dense.WorkingCopy Copy(Dense dense, ScalarType precision)
    {
        using var untracked = no_grad();
        Tensor weight = dense.Weight.to(precision).DetachFromDisposeScope(), bias = dense.Bias.to(precision).DetachFromDisposeScope();
        if (_trained) (weight.requires_grad, bias.requires_grad) = (true, true);
        var copy = new Dense.WorkingCopy(weight, bias);
        _copies.Add(copy);
        return copy;
    }

    /// <summary>The same numbers for the same shape, between ± <paramref name="size"/>.</summary>
    private static Tensor Numbers(long[] shape, double size) =>
        linspace(0, 1, shape.Aggregate(1L, (a, b) => a * b)).Multiply(1e5).sin().Multiply(size).reshape(shape);
}
