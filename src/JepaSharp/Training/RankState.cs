using System.Buffers.Binary;
using JepaSharp.Runtime.Collectives;
using static TorchSharp.torch;

namespace JepaSharp.Training;

/// <summary>Where a run stands, made the same on every rank: only the first reads checkpoints and weights to begin with.</summary>
internal static class RankState
{
    /// <summary>Makes every rank's state what the first's is.</summary>
    /// <param name="ranks">All of them.</param>
    /// <param name="state">Written to on others than the first.</param>
    /// <param name="skippedInARow">Steps skipped before; the same.</param>
    /// <exception cref="RankFailedException">Another rank could not go on.</exception>
    public static void Share(Collective ranks, TrainingState state, ref int skippedInARow)
    {
        var counts = new byte[24];
        BinaryPrimitives.WriteInt64LittleEndian(counts, state.StepCount);
        BinaryPrimitives.WriteInt64LittleEndian(counts.AsSpan(8), state.OptimizerStart);
        BinaryPrimitives.WriteInt64LittleEndian(counts.AsSpan(16), skippedInARow);
        counts = ranks.Share(counts);
        ranks.ShareTensors([.. Tensors(state)]);
        if (ranks.IsFirst) return;
        state.Restore(BinaryPrimitives.ReadInt64LittleEndian(counts), BinaryPrimitives.ReadInt64LittleEndian(counts.AsSpan(8)));
        skippedInARow = (int)BinaryPrimitives.ReadInt64LittleEndian(counts.AsSpan(16));
        state.WeightsReplaced();
    }

    private static IEnumerable<Tensor> Tensors(TrainingState state)
    {
        foreach (var network in state.Networks)
        {
            yield return network.Parameters.Values;
            if (network.Optimizer is not { } optimizer) continue;
            yield return optimizer.FirstMoment;
            yield return optimizer.SecondMoment;
        }

        foreach (var kept in state.Objective.State) yield return kept.Value;
    }
}
