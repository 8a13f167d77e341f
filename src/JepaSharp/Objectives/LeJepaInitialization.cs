using JepaSharp.Models;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>Initial weights of LeJEPA's networks, as timm's encoder and torchvision's projector begin.</summary>
/// <remarks>
/// Positions and linear layers of encoder and head: normal of deviation 0.02, biases 0. Class token: normal of deviation 1e-6. Patch embedding:
/// uniform within 1 / √(C P²), weight and bias. Projector: <see cref="Projector.Initialize"/>.
/// </remarks>
internal static class LeJepaInitialization
{
    private const double ClassTokenDeviation = 1e-6, Bound = 2;

    /// <summary>Sets all weights, keyed by the options' seed.</summary>
    public static void Of(LeJepa objective)
    {
        var (seed, shape) = (objective.Options.Seed, objective.Encoder.Shape);
        Initialization.Initialize(objective.Encoder, seed, stream: 0);
        Initialization.Initialize(objective.Head, seed, stream: 1);
        objective.Projector.Initialize(seed, stream: 2);
        using var untracked = no_grad();
        var index = 0;
        foreach (var (name, parameter) in objective.Encoder.named_parameters())
        {
            var key = new RandomStream(seed, RandomPurpose.Initialization, 3, index++).NextUInt64();
            if (name.StartsWith("patch_embed.", StringComparison.Ordinal))
                Initialization.Uniform_(parameter, 1 / Math.Sqrt((double)shape.Channels * shape.PatchSize * shape.PatchSize), key);
            else if (name == "cls_token") Initialization.TruncatedNormal_(parameter, ClassTokenDeviation, Bound, key);
        }
    }
}
