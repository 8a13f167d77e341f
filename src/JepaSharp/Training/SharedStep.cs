using System.Runtime.InteropServices;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;
using static TorchSharp.torch;

namespace JepaSharp.Training;

/// <summary>What makes the parts of a step that several ranks took one step: gradients, loss, what state moves towards, and reported numbers, over
/// the micro-batches of all.</summary>
/// <param name="ranks">All of them; each takes as many micro-batches.</param>
/// <param name="state">What is learned.</param>
/// <param name="meeting">Where they come together.</param>
internal sealed class SharedStep(Collective ranks, TrainingState state, StepMeeting meeting)
{
    /// <summary>Adds up gradients, and whatever else of the step is a sum.</summary>
    /// <param name="number">The step, from 1.</param>
    /// <param name="parts">This rank's micro-batches, taken backward; with what was compared, whose loss and gradients are divided by the
    /// ranks.</param>
    /// <param name="onDevice">[] float32, this rank's part of the loss, where the host does not know it; written to. Null: it is in the
    /// parts.</param>
    /// <returns>The loss, where the host knows it, and what state tensors move towards: copies, owned.</returns>
    /// <exception cref="RankFailedException">Another rank could not go on.</exception>
    public (double Loss, IReadOnlyList<StateMove> Moves) Sum(long number, IReadOnlyList<Step> parts, Tensor? onDevice)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var loss = meeting.Meet(number, onDevice is null ? parts.Sum(p => p.Sum) : 0);
        // What is compared over the step moves once on every rank; the rest in every micro-batch.
        var groups = parts.SelectMany(p => p.Moves).GroupBy(m => m.State.Handle).Select(g => g.ToList()).ToList();
        List<StateMove> moves = [.. groups.Select(
            g => new StateMove(g[0].State, Total([.. g.Select(m => m.Towards)]).DetachFromDisposeScope(), g[0].Rate))];
        ranks.Sum(
            [.. state.Trained.Select(n => n.Parameters.Gradients!), .. moves.Select(m => m.Towards), .. onDevice is null ? [] : new[] { onDevice }]);
        foreach (var (move, group) in moves.Zip(groups)) _ = move.Towards.Multiply_(1.0 / (group.Count * ranks.Size));
        meeting.Part();
        return (loss, moves);
    }

    /// <summary>Features of all images of the step, in the order of the micro-batches: each [V, B, ...] -> float32 [V, R B, ...], the same bits on
    /// all ranks.</summary>
    /// <param name="own">Of this rank's images, as many as on all others.</param>
    /// <exception cref="RankFailedException">Another rank could not go on.</exception>
    public IReadOnlyList<Tensor> Join(IReadOnlyList<Tensor> own)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        // Each in its place, and 0 in the others': a sum, which needs nobody to wait for a GPU.
        Tensor[] all = [.. own.Select(Placed)];
        meeting.Exchange(all);
        foreach (var joined in all) _ = joined.MoveToOuterDisposeScope();
        return all;
    }

    /// <summary>Means of the reported numbers, and operations, over all ranks.</summary>
    /// <param name="own">Of this rank, for each name the sum and how many.</param>
    /// <param name="names">All that may be reported.</param>
    /// <param name="operations">Of this rank; null where they are not counted.</param>
    /// <exception cref="RankFailedException">Another rank could not go on.</exception>
    public (IReadOnlyDictionary<string, double> Numbers, StepOperations? Operations) Join(
        IReadOnlyDictionary<string, (double Sum, int Count)> own, IReadOnlyList<string> names, StepOperations? operations)
    {
        double[] said = [.. names.SelectMany(name => own.TryGetValue(name, out var n) ? new double[] { n.Sum, n.Count } : [0, 0]),
            .. operations?.Networks.SelectMany(n => new[] { n.Forward, n.Backward }) ?? []];
        var all = ranks.Gather(MemoryMarshal.AsBytes<double>(said)).Select(bytes => MemoryMarshal.Cast<byte, double>(bytes).ToArray()).ToList();
        var numbers = new Dictionary<string, double>();
        for (var i = 0; i < names.Count; i++)
        {
            var count = all.Sum(a => a[(2 * i) + 1]);
            if (count > 0) numbers[names[i]] = all.Sum(a => a[2 * i]) / count;
        }

        var first = 2 * names.Count;
        var counted = operations is null || all.Exists(a => a.Length != said.Length)
            ? null
            : new StepOperations([.. operations.Networks.Select((network, i) => network with
            {
                Forward = all.Sum(a => a[first + (2 * i)]),
                Backward = all.Sum(a => a[first + (2 * i) + 1]),
            })]);
        return (numbers, counted);
    }

    private Tensor Placed(Tensor own)
    {
        var (shape, images) = (own.shape, own.shape[1]);
        shape[1] *= ranks.Size;
        var all = zeros(shape, float32, own.device);
        _ = all.narrow(1, ranks.Rank * images, images).copy_(own);
        return all;
    }

    private static Tensor Total(Tensor[] towards) => (towards.Length == 1 ? towards[0].clone() : stack(towards).sum([0L])).contiguous();
}
