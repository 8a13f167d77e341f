using JepaSharp.Models.Accelerated;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;
using static TorchSharp.torch;

namespace JepaSharp.Training;

/// <summary>What of a step's loss compares images with one another: over all images of the step, of all micro-batches and ranks.</summary>
/// <remarks>
/// An objective says its features of each image by itself. The ranks put theirs together, and each computes the comparison L of all and its
/// gradients g. A micro-batch whose features are f then learns by Σ f g, whose gradient is that of L. Of several micro-batches the features are
/// computed without gradients first and once more when their turn comes, so that one micro-batch at a time is kept in memory (Gao, Zhang, Han and
/// Callan, "Scaling deep contrastive learning batch size under memory limited setup", 2021). Parameters that L has itself get a rank's share of its
/// gradients on each rank, so that their sum is L's.
/// </remarks>
/// <param name="objective">Whose loss it is.</param>
/// <param name="shared">Where the ranks put features together; null for one process alone.</param>
/// <param name="ranks">All of them.</param>
/// <param name="start">The step that L reports to, with its share of the loss on a rank.</param>
internal sealed class StepComparison(Objective objective, SharedStep? shared, Collective ranks, Func<GradientTape, Step> start) : IDisposable
{
    private IReadOnlyList<Tensor?> _gradients = []; // of this rank's features, each [V, images, ...]
    private long[] _starts = [0]; // the first image of each of its micro-batches

    /// <summary>What L reported, moved and came to; null before it is computed.</summary>
    public Step? Step { get; private set; }

    /// <summary>Computes L from several micro-batches.</summary>
    /// <param name="batches">This rank's.</param>
    /// <param name="stepOf">The step of each, without gradients.</param>
    /// <param name="isReadAtOnce">Whether losses are read by the host as they come.</param>
    public void Compare(IReadOnlyList<ViewBatch> batches, Func<int, Step> stepOf, bool isReadAtOnce)
    {
        using var scope = NewDisposeScope();
        var parts = new List<IReadOnlyList<Tensor>>();
        using (no_grad())
        {
            for (var part = 0; part < batches.Count; part++)
            {
                var features = objective.Features(batches[part], stepOf(part));
                Require(features, batches[part].Count);
                parts.Add(features);
            }
        }

        using var tape = GradientTape.Start(isReadAtOnce);
        _starts = [.. batches.Select((_, part) => batches.Take(part).Sum(b => (long)b.Count))];
        Compare([.. parts[0].Select((_, i) => cat([.. parts.Select(p => p[i])], 1))], tape);
    }

    /// <summary>Gradients of a micro-batch's features, each of its shape; null for those that L has none of.</summary>
    /// <param name="part">Which of this rank's micro-batches.</param>
    /// <param name="images">How many it has.</param>
    /// <param name="features">What the objective says of it.</param>
    /// <param name="tape">Records its loss.</param>
    public IReadOnlyList<Tensor?> GradientsOf(int part, int images, IReadOnlyList<Tensor> features, GradientTape tape)
    {
        if (Step is null)
        {
            Require(features, images);
            Compare(features, tape);
        }

        return [.. features.Zip(_gradients).Select(f => f.Second?.narrow(1, _starts[part], f.First.shape[1]))];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var gradient in _gradients) gradient?.Dispose();
        Step?.DeviceSum?.Dispose();
    }

    private void Require(IReadOnlyList<Tensor> features, int images)
    {
        if (features.Count > 0 && features.All(f => f.dim() > 1 && f.shape[1] == images)) return;
        throw new InvalidOperationException(
            $"{objective.Name} compares images by features [{string.Join("], [", features.Select(f => string.Join(", ", f.shape)))}]: "
                + $"expected at least one, each [V, {images}, ...] of {images} images.");
    }

    private void Compare(IReadOnlyList<Tensor> own, GradientTape tape)
    {
        using var scope = NewDisposeScope();
        using var tracked = enable_grad();
        Tensor[] all = [.. (shared?.Join(own) ?? own).Select(f => f.detach().to(float32).requires_grad_())];
        Step = start(tape);
        // What was recorded before belongs to the micro-batch.
        Step.Complete(objective.Compare(all, Step), tape.Mark);
        _ = Step.DeviceSum?.DetachFromDisposeScope();
        using var untracked = no_grad();
        _gradients = [.. all.Zip(own).Select(f => f.First.grad is { } gradient
            ? gradient.narrow(1, ranks.Rank * f.Second.shape[1], f.Second.shape[1]).Multiply(ranks.Size).DetachFromDisposeScope()
            : null)];
    }
}
