using JepaSharp.Kernels;
using JepaSharp.Runtime;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>An affine layer as the CPU kernels see it, whose weights are made of several parameters: kernels know one matrix and one bias. What they
/// read is made anew when parameters have changed, and the gradients that they leave are shared out.</summary>
/// <param name="dense">The layer.</param>
/// <param name="trained">Whether gradients are wanted.</param>
internal abstract class DerivedDense(Dense dense, bool trained) : IDisposable
{
    private readonly List<Tensor> _own = [];

    protected Dense Dense => dense;

    /// <summary>Where what kernels read and, in training, what they add to lies.</summary>
    public abstract DenseMemory Memory(ParameterHandles handles);

    /// <summary>Makes what kernels read anew.</summary>
    public void Refresh()
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        Make();
    }

    /// <summary>Adds the gradients that kernels left to the parameters', and forgets them.</summary>
    public void Collect()
    {
        if (!trained) return;
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        Share();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _own) tensor.Dispose();
        _own.Clear();
    }

    protected abstract void Make();

    protected abstract void Share();

    /// <summary>Memory of its own, zero, as a parameter that handles can be given of.</summary>
    protected Parameter Own(params long[] shape)
    {
        using var scope = NewDisposeScope();
        var own = new Parameter(zeros(shape, float32, CPU), requires_grad: false);
        if (trained) own.grad = zeros(shape, float32, CPU).DetachFromDisposeScope();
        _own.Add(own.DetachFromDisposeScope());
        return own;
    }

    /// <summary>target' += gradient.</summary>
    protected static void AddTo(Parameter target, Tensor gradient)
    {
        if (target.grad is { } sum) _ = sum.Add_(gradient);
        else target.grad = gradient.clone().DetachFromDisposeScope();
    }
}

/// <summary>γ (W x + b) as (γ W) x + γ b: with W' and b' the gradients of γ W and γ b, those of W and b are γ W' and γ b', and that of γ is
/// Σ W' W + b' b over a row.</summary>
internal sealed class ScaledDense : DerivedDense
{
    private readonly Parameter _scale, _weight, _bias;

    public ScaledDense(Dense dense, Parameter scale, bool trained)
        : base(dense, trained) => (_scale, _weight, _bias) = (scale, Own(dense.Weight.shape), Own(dense.Bias.shape));

    public override DenseMemory Memory(ParameterHandles handles) =>
        new(handles.Of(_weight), handles.Of(_bias), (int)_weight.shape[0], (int)_weight.shape[1]);

    protected override void Make()
    {
        _ = _weight.copy_(_scale.unsqueeze(1).mul(Dense.Weight));
        _ = _bias.copy_(_scale.mul(Dense.Bias));
    }

    protected override void Share()
    {
        Tensor weight = _weight.grad!, bias = _bias.grad!;
        AddTo(_scale, weight.mul(Dense.Weight).sum(1).AddProduct(bias, Dense.Bias));
        AddTo(Dense.Weight, weight.mul_(_scale.unsqueeze(1)));
        AddTo(Dense.Bias, bias.mul_(_scale));
        _ = weight.zero_();
        _ = bias.zero_();
    }
}

/// <summary>The layer for queries, keys and values of which the keys have no bias: kernels are given zeros for theirs.</summary>
internal sealed class KeylessDense : DerivedDense
{
    private readonly Parameter _query, _value, _bias;
    private readonly long _width;

    public KeylessDense(Dense dense, Parameter query, Parameter value, bool trained)
        : base(dense, trained)
    {
        (_query, _value, _width) = (query, value, query.numel());
        _bias = Own(3 * _width);
    }

    public override DenseMemory Memory(ParameterHandles handles) =>
        new(handles.Of(Dense.Weight), handles.Of(_bias), (int)Dense.Weight.shape[0], (int)Dense.Weight.shape[1]);

    protected override void Make()
    {
        _ = _bias.narrow(0, 0, _width).copy_(_query);
        _ = _bias.narrow(0, 2 * _width, _width).copy_(_value);
    }

    protected override void Share()
    {
        var bias = _bias.grad!;
        AddTo(_query, bias.narrow(0, 0, _width));
        AddTo(_value, bias.narrow(0, 2 * _width, _width));
        _ = bias.zero_();
    }
}
