using JepaSharp.Objectives;
using static TorchSharp.torch;

namespace JepaSharp.Training;

/// <summary>A step whose gradients were asked for and whose weights have not changed yet, or whose numbers nobody has read yet.</summary>
internal sealed class PendingStep : IDisposable
{
    private readonly (double Loss, double Norm)? _onHost;
    private readonly IReadOnlyList<Step> _parts;

    /// <summary>A step whose numbers the host has read.</summary>
    /// <param name="step">Its number, from 1.</param>
    /// <param name="batches">What it learns from; kept by the caller until the step is finished.</param>
    /// <param name="loss">Over all micro-batches.</param>
    /// <param name="norm">L2 norm of all gradients together.</param>
    /// <param name="parts">What its micro-batches moved and reported.</param>
    public PendingStep(long step, IReadOnlyList<ViewBatch> batches, double loss, double norm, IReadOnlyList<Step> parts) =>
        (Number, Batches, _onHost, _parts) = (step, batches, (loss, norm), parts);

    /// <summary>A step whose numbers are on the device.</summary>
    /// <param name="step">Its number, from 1.</param>
    /// <param name="batches">What it learns from; kept by the caller until the step is finished.</param>
    /// <param name="onDevice">float32 [1 + trained networks]: the loss, and the L2 norm of each network's gradients. Disposed of with this.</param>
    /// <param name="parts">What its micro-batches moved and reported.</param>
    public PendingStep(long step, IReadOnlyList<ViewBatch> batches, Tensor onDevice, IReadOnlyList<Step> parts) =>
        (Number, Batches, OnDevice, _parts) = (step, batches, onDevice, parts);

    public long Number { get; }

    public IReadOnlyList<ViewBatch> Batches { get; }

    /// <summary>The numbers, where only the device has them.</summary>
    public Tensor? OnDevice { get; }

    /// <summary>Whether weights, moments and averages were already asked to change.</summary>
    public bool IsApplied { get; set; }

    /// <summary>What state tensors move towards over the micro-batches of all ranks, owned; null for one process alone.</summary>
    public IReadOnlyList<StateMove>? SharedMoves { get; init; }

    /// <summary>What was compared over all images of the step; null for nothing.</summary>
    public Step? Compared { get; init; }

    /// <summary>What state tensors move towards: over the micro-batches, the mean.</summary>
    public IEnumerable<(Tensor State, Tensor Towards, double Rate)> Moves() => SharedMoves is not null
        ? SharedMoves.Select(m => (m.State, m.Towards, m.Rate))
        : All.SelectMany(p => p.Moves).GroupBy(m => m.State.Handle)
        .Select(g => (g.First().State, g.Count() == 1 ? g.First().Towards : stack([.. g.Select(m => m.Towards)]).mean([0]), g.First().Rate));

    /// <summary>Loss and gradient norm; waits for the device where it has them.</summary>
    public (double Loss, double Norm) Read()
    {
        if (_onHost is { } known) return known;
        using var here = OnDevice!.cpu();
        var numbers = here.data<float>().ToArray();
        return (numbers[0], Math.Sqrt(numbers.Skip(1).Sum(n => (double)n * n)));
    }

    /// <summary>What the objective reported, over the micro-batches the mean, by name; waits for the device.</summary>
    public IReadOnlyDictionary<string, double> ReadNumbers() => All.SelectMany(p => p.Numbers).GroupBy(n => n.Name)
        .ToDictionary(g => g.Key, g => g.Average(n => (double)n.Value.item<float>()));

    /// <summary>The same as sums, with how many each is of.</summary>
    public IReadOnlyDictionary<string, (double Sum, int Count)> ReadSums() => All.SelectMany(p => p.Numbers).GroupBy(n => n.Name)
        .ToDictionary(g => g.Key, g => (g.Sum(n => (double)n.Value.item<float>()), g.Count()));

    /// <summary>Operations of all micro-batches; null where the objective counts none.</summary>
    public StepOperations? Operations =>
        _parts.All(p => p.Operations is not null) ? StepOperations.Sum(_parts.Select(p => p.Operations!)) : null;

    private IEnumerable<Step> All => Compared is null ? _parts : _parts.Append(Compared);

    public void Dispose()
    {
        OnDevice?.Dispose();
        foreach (var move in SharedMoves ?? []) move.Towards.Dispose();
        foreach (var part in All)
        {
            foreach (var move in part.Moves) move.Towards.Dispose();
            foreach (var (_, value) in part.Numbers) value.Dispose();
        }
    }
}
