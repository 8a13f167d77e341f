using JepaSharp.Models.Accelerated;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Layer norm over the last axis with scale and shift, epsilon 1e-6. [..., D] -> [..., D], in float32.</summary>
public sealed class LayerNormalization : nn.Module<Tensor, Tensor>
{
    /// <summary>ε, added to the variance.</summary>
    public const double Epsilon = 1e-6;

    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter _bias;
    private readonly long[] _shape;

    /// <summary>Builds a norm whose weights are not yet set: see <see cref="Initialization"/>.</summary>
    /// <param name="name">Name shown by the module tree.</param>
    /// <param name="width">D.</param>
    /// <param name="device">Where the parameters live; meta for shapes alone. Null: the CPU.</param>
    public LayerNormalization(string name, int width, Device? device = null)
        : base(name)
    {
        _shape = [width];
        _weight = new Parameter(empty(_shape, float32, device));
        _bias = new Parameter(empty(_shape, float32, device));
        RegisterComponents();
    }

    /// <summary>Scale: float32 [D].</summary>
    public Parameter Weight => _weight;

    /// <summary>Shift: float32 [D].</summary>
    public Parameter Bias => _bias;

    /// <summary>What takes the norm's place where it can; hung on from outside.</summary>
    internal AcceleratedNorm? Kernel { get; set; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x) =>
        Kernel is not null && Kernel.CanRun(x) ? Scoped(() => Kernel.Forward(x)) : nn.functional.layer_norm(x, _shape, _weight, _bias, Epsilon);

    /// <summary>Chosen rows, normalised. [rows, D] -> [chosen, D].</summary>
    /// <param name="x">All rows.</param>
    /// <param name="chosen">int64: which.</param>
    public Tensor Choose(Tensor x, Tensor chosen) => Scoped(() =>
        Kernel is not null && !is_grad_enabled() ? Kernel.Choose(x, chosen) : forward(x).index_select(0, chosen));

    private static Tensor Scoped(Func<Tensor> work)
    {
        using var scope = NewDisposeScope();
        return work().MoveToOuterDisposeScope();
    }
}
