using JepaSharp.Configuration;
using JepaSharp.Models.Accelerated;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>Distances between predicted and true representations, by a CPU kernel where one records, else by libtorch.</summary>
internal static class PatchDistance
{
    /// <summary>Mean over all numbers. Both of one shape, float32 -> [], float64 from the kernel.</summary>
    public static Tensor Mean(Tensor predictions, Tensor targets, JepaLoss loss) => AcceleratedDistance.CanRecord(predictions, targets)
        ? AcceleratedDistance.Record(predictions, targets, loss == JepaLoss.SmoothL1)
        : loss switch
        {
            JepaLoss.L2 => nn.functional.mse_loss(predictions, targets),
            _ => nn.functional.smooth_l1_loss(predictions, targets, beta: 1),
        };

    /// <summary>Layer norm over the last axis without scale and shift. [..., D] -> float32 [..., D].</summary>
    /// <param name="h">Representations.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public static Tensor Normalize(Tensor h, double epsilon) => AcceleratedDistance.CanNormalize(h)
        ? AcceleratedDistance.Normalize(h, epsilon)
        : nn.functional.layer_norm(h.to(float32), [h.shape[^1]], eps: epsilon);
}
