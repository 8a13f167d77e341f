using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Initial weights: the whole of it in one place.</summary>
/// <remarks>
/// Matrices (patch embedding, mask and class token, and learned positions included) from a normal distribution of deviation 0.02 truncated at ±2,
/// biases 0, norms 1 and 0. The published code first rescales <c>attn.proj</c> and <c>mlp.fc2</c> by depth and then initialises every linear layer
/// again, which undoes it; this is where it ends up.
/// </remarks>
public static class Initialization
{
    private const double Deviation = 0.02;
    private const double Bound = 2;

    /// <summary>Sets every parameter of a network. The same seed gives the same weights whatever else the network is built beside.</summary>
    /// <param name="network">An encoder or predictor.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="stream">Tells networks of one run apart.</param>
    public static void Initialize(nn.Module network, ulong seed, int stream)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var index = 0;
        foreach (var (name, parameter) in network.named_parameters())
        {
            var key = new RandomStream(seed, RandomPurpose.Initialization, stream, index++).NextUInt64();
            if (parameter.dim() > 1) TruncatedNormal_(parameter, Deviation, Bound, key);
            else if (name.EndsWith("weight", StringComparison.Ordinal)) _ = parameter.Fill_(1);
            else _ = parameter.zero_();
        }
    }

    /// <summary>Fills a tensor with numbers that are uniform between -<paramref name="bound"/> and <paramref name="bound"/>.</summary>
    internal static void Uniform_(Tensor target, double bound, ulong key)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var generator = new Generator(key & long.MaxValue, CPU);
        _ = target.copy_(empty(target.shape, float32, CPU).uniform_(-bound, bound, generator));
    }

    /// <summary>Fills a tensor from a normal distribution of mean 0, truncated at ±<paramref name="bound"/>, by inverting its distribution
    /// function.</summary>
    /// <remarks>u uniform in [2Φ(-b/σ) - 1, 2Φ(b/σ) - 1]; x = σ √2 erf⁻¹(u), clamped against rounding.</remarks>
    internal static void TruncatedNormal_(Tensor target, double deviation, double bound, ulong key)
    {
        using var scope = NewDisposeScope();
        // 2Φ(z) - 1 = erf(z / √2); it must stay below 1, where erf⁻¹ is infinite.
        var limit = Math.Min(tensor(bound / deviation / Math.Sqrt(2)).erf().item<double>(), 1 - 1e-15);
        using var generator = new Generator(key & long.MaxValue, CPU);
        var u = empty(target.shape, float64, CPU).uniform_(-limit, limit, generator);
        _ = target.copy_(u.erfinv_().Multiply_(deviation * Math.Sqrt(2)).Clamp_(-bound, bound));
    }
}
