using JepaSharp.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>Hands parameters' memory to kernels, and keeps it from being freed meanwhile.</summary>
internal sealed unsafe class ParameterHandles(bool trained) : IDisposable
{
    private readonly List<Tensor> _kept = [];

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

    /// <summary>A norm's parameters.</summary>
    public NormMemory Of(LayerNormalization norm) => new(Of(norm.Weight), Of(norm.Bias));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _kept) tensor.Dispose();
        _kept.Clear();
    }

    private float* Keep(Tensor tensor)
    {
        _kept.Add(tensor.DetachFromDisposeScope());
        return TensorMemory.Floats(tensor);
    }
}
