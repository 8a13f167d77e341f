using JepaSharp.Configuration;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>The best predictor that always says the same: what a loss is worth is its distance from this one's.</summary>
/// <remarks>
/// For the squared error the best constant is the mean. For smooth L1 with beta 1 it is Huber's estimate of location (Huber, "Robust estimation
/// of a location parameter", 1964), between mean and median: the c at which mean(clip(x - c, -1, 1)) = 0, reached by adding that mean to c
/// until it stays. Adding it never overshoots, because the slope of that mean is between -1 and 0.
/// </remarks>
public static class ConstantPredictor
{
    private const int Rounds = 20;

    /// <summary>The best constant of each dimension. [n, ...] -> [...].</summary>
    /// <param name="targets">What there is to predict, the first dimension running over samples.</param>
    /// <param name="loss">How far a prediction is from its target.</param>
    public static Tensor Fit(Tensor targets, JepaLoss loss)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var constant = targets.mean([0L]);
        if (loss == JepaLoss.L2) return constant.MoveToOuterDisposeScope();
        for (var round = 0; round < Rounds; round++)
        {
            using var inner = NewDisposeScope();
            constant = constant.Add(targets.Subtract(constant).Clamp_(-1, 1).mean([0L])).MoveToOuterDisposeScope();
        }

        return constant.MoveToOuterDisposeScope();
    }
}
