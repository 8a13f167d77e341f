using JepaSharp.Models;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>Initial weights of MSN's networks.</summary>
/// <remarks>
/// Tokens, positions and linear layers of encoder and head: normal of deviation 0.02, biases 0. Patch embedding: normal of deviation
/// √(2 / (C P²)), bias 0. Prototypes: <see cref="Prototypes.Initialize"/>.
/// </remarks>
internal static class MaskedSiameseInitialization
{
    private const double Far = 8; // in deviations: never drawn, so in effect not truncated

    /// <summary>Sets all trained weights, keyed by the options' seed.</summary>
    public static void Of(MaskedSiamese objective)
    {
        var (seed, shape) = (objective.Options.Seed, objective.AnchorEncoder.Shape);
        Initialization.Initialize(objective.AnchorEncoder, seed, stream: 0);
        Initialization.Initialize(objective.Head, seed, stream: 1);
        objective.Prototypes.Initialize(seed, stream: 2);
        using var untracked = no_grad();
        var deviation = Math.Sqrt(2.0 / (shape.Channels * shape.PatchSize * shape.PatchSize));
        var patches = objective.AnchorEncoder.named_parameters().Single(p => p.name == "patch_embed.proj.weight").parameter;
        Initialization.TruncatedNormal_(
            patches, deviation, Far * deviation, new RandomStream(seed, RandomPurpose.Initialization, 3).NextUInt64());
    }
}
