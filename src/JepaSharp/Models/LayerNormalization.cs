using JepaSharp.Models.Accelerated;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Layer norm over the last axis with scale and shift, epsilon 1e-6. [..., D] -> [..., D], in float32.</summary>
internal sealed class LayerNormalization : nn.Module<Tensor, Tensor>
{
    public const double Epsilon = 1e-6;

    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter _bias;
    private readonly long[] _shape;
    private AcceleratedNorm? _accelerated;

    public LayerNormalization(string name, int width, Device device)
        : base(name)
    {
        _shape = [width];
        _weight = new Parameter(empty(_shape, float32, device));
        _bias = new Parameter(empty(_shape, float32, device));
        RegisterComponents();
    }

    public Parameter Weight => _weight;

    public Parameter Bias => _bias;

    /// <summary>Computes with a CPU kernel from now on, where it can; null goes back. Taken over.</summary>
    public void Accelerate(AcceleratedNorm? kernel)
    {
        _accelerated?.Dispose();
        _accelerated = kernel;
    }

    public override Tensor forward(Tensor x) =>
        _accelerated is not null && _accelerated.CanRun(x) ? Scoped(() => _accelerated.Forward(x)) : nn.functional.layer_norm(x, _shape, _weight, _bias, Epsilon);

    /// <summary>Chosen rows, normalised. [rows, D] -> [chosen, D].</summary>
    /// <param name="x">All rows.</param>
    /// <param name="chosen">int64: which.</param>
    public Tensor Choose(Tensor x, Tensor chosen) => Scoped(() =>
        _accelerated is not null && !is_grad_enabled() ? _accelerated.Choose(x, chosen) : forward(x).index_select(0, chosen));

    protected override void Dispose(bool disposing)
    {
        if (disposing) _accelerated?.Dispose();
        base.Dispose(disposing);
    }

    private static Tensor Scoped(Func<Tensor> work)
    {
        using var scope = NewDisposeScope();
        return work().MoveToOuterDisposeScope();
    }
}
