using JepaSharp.Models.Diffusion;
using JepaSharp.Objectives.Diffusion;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>Everything that fixes an <see cref="Rcdm"/>.</summary>
public sealed record RcdmOptions
{
    /// <summary>Pictures and representations; taken over.</summary>
    public required DecodedPairs Pairs { get; init; }

    /// <summary>The decoder's shape; its <see cref="DiffusionUNetShape.Condition"/> that of the pairs.</summary>
    public required DiffusionUNetShape Decoder { get; init; }

    /// <summary>How noise is put on, and what the decoder predicts.</summary>
    public required GaussianDiffusion Diffusion { get; init; }

    /// <summary>Momentum of the average that pictures are drawn with.</summary>
    public double Average { get; init; } = 0.999;

    /// <summary>Whether the average follows faster at first.</summary>
    public bool WarmsAverage { get; init; } = true;

    /// <summary>Seed of the initial weights.</summary>
    public ulong Seed { get; init; }

    /// <summary>Representations that are measured before the first step, float32 [n, D]: each number then has mean 0 and deviation 1. Null: they
    /// stay as they are. The caller keeps them.</summary>
    public Tensor? Measured { get; init; }

    /// <summary>Steps and noise of a batch in place of those that are drawn: for recorded runs.</summary>
    internal Func<Step, (IReadOnlyList<int> Steps, Tensor Noise)>? Draw { get; init; }

    /// <summary>Momentum after a step, from 1.</summary>
    internal double MomentumAt(long step) => WarmsAverage ? Math.Min(Average, (1.0 + step) / (10.0 + step)) : Average;
}
