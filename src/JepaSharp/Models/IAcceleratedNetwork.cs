using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>What the CPU kernels are wanted for.</summary>
/// <param name="Precision">Of what the products read: float32 or bfloat16.</param>
/// <param name="Trained">Whether gradients are wanted.</param>
/// <param name="WeightsChange">Whether the weights change from step to step, by gradient or by average.</param>
/// <param name="Checkpoint">Keep only the blocks' inputs for the backward pass, and compute the rest again.</param>
internal sealed record KernelUse(ScalarType Precision, bool Trained, bool WeightsChange, bool Checkpoint);

/// <summary>A network whose products can be computed by the CPU kernels.</summary>
internal interface IAcceleratedNetwork
{
    /// <summary>Uses the CPU kernels from now on, with the parameters' memory as it is; false where they do not fit network or machine.</summary>
    bool Accelerate(KernelUse use);

    /// <summary>Brings what the kernels derived from the weights up to date.</summary>
    void RefreshKernels();

    /// <summary>Goes back to the engine's operators.</summary>
    void ReleaseKernels();
}
