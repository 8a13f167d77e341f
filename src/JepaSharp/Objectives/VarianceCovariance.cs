using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>VICReg's two terms that keep features apart: each varies over images, and no two say the same.</summary>
/// <remarks>
/// Bardes, Ponce and LeCun, ICLR 2022, equations 1 to 4. Of rows x [R, D], with the unbiased covariance C [D, D] over the rows:
/// <code>
/// variance   = mean over d of max(0, 1 - √(C_dd + 1e-4))
/// covariance = Σ over i ≠ j of C_ij² / D
/// </code>
/// C-JEPA (Mo and Tong, NeurIPS 2024) adds both to I-JEPA's loss, with 0.025 and 0.001. On which features is not stated: here it is the average over
/// a context's patches, as the context encoder says it.
/// </remarks>
public static class VarianceCovariance
{
    private const float Epsilon = 1e-4f;

    /// <summary>Both terms. [R, D], at least two rows -> float32 [], [].</summary>
    /// <param name="features">x.</param>
    public static (Tensor Variance, Tensor Covariance) Of(Tensor features)
    {
        ArgumentNullException.ThrowIfNull(features);
        using var scope = NewDisposeScope();
        var x = features.to(float32);
        var (rows, width) = (x.shape[0], x.shape[1]);
        var centered = x.Subtract(x.mean([0L], keepdim: true));
        var products = centered.transpose(0, 1).matmul(centered).Multiply(1.0 / (rows - 1));
        var diagonal = products.diagonal();
        var deviation = diagonal.Add(tensor(Epsilon, device: x.device)).sqrt();
        var variance = ones_like(deviation).Subtract(deviation).relu().mean();
        var covariance = products.square().sum().Subtract(diagonal.square().sum()).Multiply(1.0 / width);
        return (variance.MoveToOuterDisposeScope(), covariance.MoveToOuterDisposeScope());
    }
}
