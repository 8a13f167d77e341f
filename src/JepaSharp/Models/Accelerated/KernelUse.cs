using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>What the CPU kernels are wanted for.</summary>
/// <param name="Precision">Of what the products read: float32 or bfloat16.</param>
/// <param name="Trained">Whether gradients are wanted.</param>
/// <param name="WeightsChange">Whether the weights change from step to step, by gradient or by average.</param>
/// <param name="Checkpoint">Keep only the blocks' inputs for the backward pass, and compute the rest again.</param>
public sealed record KernelUse(ScalarType Precision, bool Trained, bool WeightsChange, bool Checkpoint = false);
