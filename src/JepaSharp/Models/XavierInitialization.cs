using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>MAE's initial weights (He et al., CVPR 2022, appendix A.1: "xavier_uniform, following ViT's official code").</summary>
/// <remarks>
/// Matrices uniform in ±√(6 / (inputs + outputs)), the one for queries, keys and values and the patch embedding as one matrix each; biases 0; norms
/// 1 and 0; class and mask token normal of deviation 0.02, not truncated. The bias of the patch embedding is uniform in ±1/√(inputs), which the
/// published code leaves as its convolution begins.
/// </remarks>
public static class XavierInitialization
{
    private const double TokenDeviation = 0.02;
    private const string PatchBias = "patch_embed.proj.bias";

    /// <summary>Sets every parameter of a network. The same seed gives the same weights whatever else the network is built beside.</summary>
    /// <param name="network">An encoder or a decoder.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="stream">Tells networks of one run apart.</param>
    public static void Initialize(nn.Module network, ulong seed, int stream)
    {
        ArgumentNullException.ThrowIfNull(network);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var inputs = 0.0;
        var index = 0;
        foreach (var (name, parameter) in network.named_parameters())
        {
            var key = new RandomStream(seed, RandomPurpose.Initialization, stream, index++).NextUInt64();
            if (name.EndsWith("_token", StringComparison.Ordinal))
            {
                Normal_(parameter, key);
            }
            else if (parameter.dim() > 1)
            {
                inputs = (double)parameter.numel() / parameter.shape[0];
                Uniform_(parameter, Math.Sqrt(6 / (inputs + parameter.shape[0])), key);
            }
            else if (name == PatchBias)
            {
                Uniform_(parameter, 1 / Math.Sqrt(inputs), key); // its weight comes right before it
            }
            else
            {
                _ = parameter.Fill_(name.EndsWith("weight", StringComparison.Ordinal) ? 1 : 0);
            }
        }
    }

    private static void Uniform_(Tensor target, double bound, ulong key)
    {
        using var generator = new Generator(key & long.MaxValue, CPU);
        _ = target.copy_(empty(target.shape, float64, CPU).uniform_(-bound, bound, generator));
    }

    private static void Normal_(Tensor target, ulong key)
    {
        using var generator = new Generator(key & long.MaxValue, CPU);
        _ = target.copy_(empty(target.shape, float64, CPU).normal_(0, TokenDeviation, generator));
    }
}
