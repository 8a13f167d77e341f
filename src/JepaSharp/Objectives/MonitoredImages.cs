using JepaSharp.Data;
using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>Images that stay the same throughout a run, with what the encoder makes of them: what <see cref="Objective.Measure"/> looks at.</summary>
/// <param name="Batches">The images, as bytes.</param>
/// <param name="Scaling">Brings them to the device.</param>
/// <param name="Features">Of each batch, float32 [B, N, D]: the encoder's output. Whoever measures may dispose of each when it is done with.</param>
/// <param name="Masked">How many of the first batches are looked at closely, through the whole loss; 0 for a glance.</param>
/// <param name="Seed">The run's seed.</param>
public sealed record MonitoredImages(IReadOnlyList<ImageBatch> Batches, PixelScaling Scaling, IReadOnlyList<Tensor> Features, int Masked, ulong Seed)
{
    /// <summary>The step by which what the loss draws is keyed: a micro-batch that training never comes to.</summary>
    public Step Step => Step.Untracked(Seed, microBatch: -1);
}
