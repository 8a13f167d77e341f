using JepaSharp.Runtime;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>A linear layer on features, in float32 whatever its network computes in. [B, D] -> [B, K].</summary>
public sealed class LinearHead : nn.Module<Tensor, Tensor>
{
    private const double Deviation = 0.01, Bound = 2;

    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter _bias;

    /// <summary>Builds a head whose weights are not yet set.</summary>
    /// <param name="width">D.</param>
    /// <param name="outputs">K.</param>
    /// <param name="device">Where the weights live; null for the CPU.</param>
    public LinearHead(int width, int outputs, Device? device = null)
        : base(nameof(LinearHead))
    {
        _weight = new Parameter(empty([outputs, width], float32, device ?? CPU));
        _bias = new Parameter(empty([outputs], float32, device ?? CPU));
        RegisterComponents();
    }

    /// <summary>K.</summary>
    public int Outputs => (int)_bias.shape[0];

    /// <summary>Small random weights (deviation 0.01, truncated) and a bias of 0.</summary>
    public void Initialize(RandomStream random)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        Initialization.TruncatedNormal_(_weight, Deviation, Bound, random.NextUInt64());
        _ = _bias.zero_();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor features) => nn.functional.linear(features, _weight, _bias);
}
