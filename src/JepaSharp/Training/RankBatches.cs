using JepaSharp.Runtime;

namespace JepaSharp.Training;

/// <summary>How the ranks of a run share the micro-batches of a step: each takes as many as the others, one after the other.</summary>
/// <remarks>So the number of ranks is nothing that a run depends on: the step's images, their order, masks and crops are those of one process that
/// takes all of its micro-batches.</remarks>
public static class RankBatches
{
    /// <summary>Micro-batches of a step that each rank takes.</summary>
    /// <param name="accumulate">Micro-batches of a step.</param>
    /// <param name="ranks">How many share them.</param>
    /// <exception cref="JepaException">They do not come out even.</exception>
    public static int Of(int accumulate, int ranks)
    {
        if (accumulate % ranks == 0) return accumulate / ranks;
        var fitting = string.Join(", ", Enumerable.Range(1, accumulate).Where(n => accumulate % n == 0));
        throw new JepaException(
            $"{ranks} processes cannot share the {Quantity.Of(accumulate, "micro-batch", "micro-batches")} of a step "
                + $"(optimization.accumulate) evenly. Start as many as divide it ({fitting}), or set optimization.accumulate to a multiple of "
                + $"{ranks}.", isUsage: true);
    }
}
