using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>Mixup or CutMix of a batch with itself in reverse order.</summary>
/// <remarks>
/// With λ ~ Beta(α, α): mixup, x = λ x + (1 - λ) x', y = λ y + (1 - λ) y' (Zhang et al., ICLR 2018). CutMix pastes a box of x' of area (1 - λ) H W at
/// a uniform place, cut off at the border, and takes λ anew from the area that is left (Yun et al., ICCV 2019).
/// </remarks>
internal static class BatchMixing
{
    /// <summary>Images [B, C, H, W] and targets [B, K] -> the same, mixed.</summary>
    public static (Tensor Images, Tensor Targets) Apply(Tensor images, Tensor targets, FineTuneOptions options, ref RandomStream random)
    {
        var useCutMix = options.CutMix > 0 && (options.Mixup <= 0 || random.NextDouble() < 0.5);
        if (!useCutMix && options.Mixup <= 0) return (images, targets);
        var share = Beta(useCutMix ? options.CutMix : options.Mixup, ref random);
        using var scope = NewDisposeScope();
        var other = images.flip([0L]);
        Tensor mixed;
        if (useCutMix)
        {
            (mixed, share) = Pasted(images, other, share, ref random);
        }
        else
        {
            mixed = images.Multiply(share).Add(other.Multiply(1 - share));
        }

        var mixedTargets = targets.Multiply(share).Add(targets.flip([0L]).Multiply(1 - share));
        return (mixed.MoveToOuterDisposeScope(), mixedTargets.MoveToOuterDisposeScope());
    }

    private static (Tensor Images, double Share) Pasted(Tensor images, Tensor other, double share, ref RandomStream random)
    {
        var (height, width) = ((int)images.shape[2], (int)images.shape[3]);
        var side = Math.Sqrt(1 - share);
        var (boxHeight, boxWidth) = ((int)(height * side), (int)(width * side));
        var (row, column) = (random.NextInt(height), random.NextInt(width));
        var (top, bottom) = (Math.Max(0, row - (boxHeight / 2)), Math.Min(height, row - (boxHeight / 2) + boxHeight));
        var (left, right) = (Math.Max(0, column - (boxWidth / 2)), Math.Min(width, column - (boxWidth / 2) + boxWidth));
        var mixed = images.clone();
        if (bottom > top && right > left)
            _ = mixed.narrow(2, top, bottom - top).narrow(3, left, right - left).copy_(
                other.narrow(2, top, bottom - top).narrow(3, left, right - left));
        return (mixed, 1 - ((double)Math.Max(0, bottom - top) * Math.Max(0, right - left) / (height * width)));
    }

    /// <summary>Beta(α, α) as the share of one of two Gamma(α) variables.</summary>
    internal static double Beta(double alpha, ref RandomStream random)
    {
        double a = Gamma(alpha, ref random), b = Gamma(alpha, ref random);
        return a + b > 0 ? a / (a + b) : 0.5;
    }

    /// <summary>Marsaglia and Tsang, "A simple method for generating gamma variables" (2000); for α below 1 through α + 1.</summary>
    private static double Gamma(double alpha, ref RandomStream random)
    {
        if (alpha < 1) return Gamma(alpha + 1, ref random) * Math.Pow(1 - random.NextDouble(), 1 / alpha);
        double d = alpha - (1.0 / 3), c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            var x = random.NextGaussian();
            var v = Math.Pow(1 + (c * x), 3);
            if (v > 0 && Math.Log(1 - random.NextDouble()) < (0.5 * x * x) + d - (d * v) + (d * Math.Log(v))) return d * v;
        }
    }
}
