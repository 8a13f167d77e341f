using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models.Diffusion;

/// <summary>Brings each number of a representation to mean 0 and deviation 1 over the images it was measured on. [B, D] -> [B, D].</summary>
/// <remarks>Averages over patches have a large mean in common, which tells nothing apart. The two rows are kept with the decoder.</remarks>
public sealed class ConditionScale : nn.Module<Tensor, Tensor>
{
    private const float LeastDeviation = 1e-6f;

    [ComponentName(Name = "mean")] private readonly Parameter _mean;
    [ComponentName(Name = "deviation")] private readonly Parameter _deviation;

    /// <summary>Means of 0 and deviations of 1: nothing is changed.</summary>
    /// <param name="width">D.</param>
    /// <param name="device">Where they live; meta for shapes alone. Null: the CPU.</param>
    public ConditionScale(int width, Device? device = null)
        : base(nameof(ConditionScale))
    {
        using var outside = NewDisposeScope();
        _mean = new Parameter(zeros([width], float32, device), requires_grad: false);
        _deviation = new Parameter(ones([width], float32, device), requires_grad: false);
        RegisterComponents();
        Positions.Detach(this, outside);
    }

    /// <summary>Measures representations: from now on these have mean 0 and deviation 1; a number that never varies becomes 0.</summary>
    /// <param name="conditions">[n, D], at least two.</param>
    public void Measure(Tensor conditions)
    {
        ArgumentNullException.ThrowIfNull(conditions);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var wide = conditions.to(float64);
        var mean = wide.mean([0L]);
        _ = _mean.copy_(mean);
        _ = _deviation.copy_(wide.std(0, unbiased: true).to(float32));
        // A deviation of nothing but rounding would make numbers of it.
        _ = _deviation.copy_(where(_deviation.gt(tensor(LeastDeviation, device: _deviation.device)), _deviation, ones_like(_deviation)));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor conditions)
    {
        ArgumentNullException.ThrowIfNull(conditions);
        using var scope = NewDisposeScope();
        return Runtime.TensorArithmetic.Subtract(conditions.to(float32), _mean).div(_deviation).MoveToOuterDisposeScope();
    }
}
