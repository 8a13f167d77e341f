using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>All that a loss may ask of whoever trains: where the run stands, keyed random numbers, gradients a part at a time, what to remember and
/// report.</summary>
/// <remarks>One for each micro-batch. Outside training, where no gradients are wanted, <see cref="Cut"/> and <see cref="Backward"/> hand back what
/// they are given.</remarks>
public sealed class Step
{
    private readonly GradientTape? _tape;
    private readonly double _weight;
    private readonly CancellationToken _stop;
    private readonly List<(Tensor Cut, int Mark)> _cuts = [];
    private readonly List<StateMove> _moves = [];
    private readonly List<(string Name, Tensor Value)> _numbers = [];

    /// <param name="seed">The run's seed.</param>
    /// <param name="number">From 1.</param>
    /// <param name="progress">Share of the run that is done.</param>
    /// <param name="microBatch">Number of the micro-batch in the whole run, over all processes; of what is compared, the step's first.</param>
    /// <param name="weight">The micro-batch's share of the step's loss.</param>
    /// <param name="tape">Records what the kernels do; null where no gradients are wanted.</param>
    /// <param name="inParts">Whether gradients are taken a part at a time, and numbers read at once.</param>
    /// <param name="epoch">Epochs finished before it.</param>
    /// <param name="stop">Leaves the step between its parts; nothing has changed by then.</param>
    internal Step(
        ulong seed, long number, double progress, long microBatch, double weight, GradientTape? tape, bool inParts, int epoch = 0,
        CancellationToken stop = default)
    {
        (_stop, Epoch) = (stop, epoch);
        (Seed, Number, Progress, MicroBatch) = (seed, number, progress, microBatch);
        (_weight, _tape, InParts) = (weight, tape, inParts && tape is not null);
    }

    /// <summary>The run's seed.</summary>
    public ulong Seed { get; }

    /// <summary>The step, from 1.</summary>
    public long Number { get; }

    /// <summary>Share of the run's schedules that is done, 0 to 1.</summary>
    public double Progress { get; }

    /// <summary>Epochs finished before the step.</summary>
    public int Epoch { get; }

    /// <summary>Number of the micro-batch in the whole run, from 0: what is drawn for a batch is keyed by it, never by a process or a
    /// thread.</summary>
    public long MicroBatch { get; }

    /// <summary>Whether a loss that is a sum should be taken backward part by part: less memory at the same cost. Devices that run ahead want it
    /// whole.</summary>
    public bool InParts { get; }

    /// <summary>A step outside training: no gradient, nothing moved, nothing reported.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="microBatch">What draws are keyed by; training uses numbers from 0.</param>
    public static Step Untracked(ulong seed, long microBatch = 0) => new(seed, 1, 0, microBatch, 1, null, inParts: false);

    /// <summary>A random stream of this micro-batch's own, keyed by (seed, purpose, micro-batch, item).</summary>
    /// <param name="purpose">What the numbers are for.</param>
    /// <param name="item">Index of the image, or of whatever is drawn for.</param>
    public RandomStream Random(RandomPurpose purpose = RandomPurpose.Objective, long item = 0) => new(Seed, purpose, MicroBatch, item);

    /// <summary>The same numbers, at which <see cref="Backward"/> can stop; gradients of several parts add up there.</summary>
    public Tensor Cut(Tensor x)
    {
        if (!InParts) return x;
        _stop.ThrowIfCancellationRequested();
        var cut = _tape!.Cut(x);
        _cuts.Add((cut, _tape.Mark));
        return cut;
    }

    /// <summary>Takes a part of the loss backward now, so that what it was computed with need not be kept.</summary>
    /// <param name="part">[] a part of the loss.</param>
    /// <param name="downTo">What <see cref="Cut"/> returned: gradients wait there; null for all the way.</param>
    /// <param name="share">The part's share of the loss.</param>
    /// <returns>[] the part times its share: the parts' sum is the loss.</returns>
    public Tensor Backward(Tensor part, Tensor? downTo = null, double share = 1)
    {
        if (!InParts) return share == 1 ? part : part.Multiply(share);
        _stop.ThrowIfCancellationRequested();
        Take(part, share, downTo is null ? 0 : MarkOf(downTo));
        return part.detach().Multiply(share);
    }

    /// <summary>The part of a loss that compares images: over all images of the step, where they are divided among micro-batches or
    /// processes.</summary>
    /// <remarks>A micro-batch is given the comparison where it is the step's only one. Else its value is 0 and its gradients are those of the
    /// comparison of all, whose value and reports are the step's.</remarks>
    /// <param name="features">What <see cref="Objective.Features"/> says of the micro-batch; where it is repeated, those without gradients may be
    /// missing at the end.</param>
    /// <param name="comparison"><see cref="Objective.Compare"/>.</param>
    /// <returns>[].</returns>
    /// <exception cref="ArgumentException">The features have other shapes than before.</exception>
    public Tensor Compare(IReadOnlyList<Tensor> features, Func<IReadOnlyList<Tensor>, Step, Tensor> comparison)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(comparison);
        HasCompared = true;
        if (GradientsOf is null) return comparison(features, this);
        using var scope = NewDisposeScope();
        Tensor? sum = null;
        foreach (var (said, gradient) in features.Zip(GradientsOf(features)))
        {
            if (gradient is null || !said.requires_grad) continue;
            if (!said.shape.SequenceEqual(gradient.shape))
            {
                throw new ArgumentException(
                    $"Features are [{string.Join(", ", said.shape)}], and were [{string.Join(", ", gradient.shape)}] when they were compared.",
                    nameof(features));
            }

            // d/df of Σ f g is g, and 0 is what is left of its value. The comparison is of the whole step already.
            var linear = said.to(float32).mul(gradient).sum().Multiply(1 / _weight);
            linear = linear.Subtract(linear.detach());
            sum = sum is null ? linear : sum.Add(linear);
        }

        return (sum ?? zeros([], float32, features.Count > 0 ? features[0].device : CPU)).MoveToOuterDisposeScope();
    }

    /// <summary>Whether the features were compared already: those that no gradient goes to may be left out, where they are the last.</summary>
    public bool IsRepeated { get; internal init; }

    /// <summary>Gradients of what is compared, each of its feature's shape, or null for none; null where the micro-batch is a step of its
    /// own.</summary>
    internal Func<IReadOnlyList<Tensor>, IReadOnlyList<Tensor?>>? GradientsOf { get; init; }

    /// <summary>Whether the loss has compared images.</summary>
    internal bool HasCompared { get; private set; }

    /// <summary>Moves a state tensor with the optimizer's step, or not at all where the step is not finite: state &lt;- (1 - rate) state + rate
    /// towards.</summary>
    /// <param name="state">One of <see cref="Objective.State"/>.</param>
    /// <param name="towards">Of its shape; over several micro-batches, their mean counts.</param>
    /// <param name="rate">In [0, 1].</param>
    public void Move(Tensor state, Tensor towards, double rate)
    {
        if (_tape is null) return;
        _moves.Add(new StateMove(state, towards.detach().clone().DetachFromDisposeScope(), rate));
    }

    /// <summary>Reports a number beside the loss, one of <see cref="Objective.Numbers"/>; over several micro-batches, their mean. Stays on the device
    /// until the step is read.</summary>
    public void Report(string name, Tensor value)
    {
        if (_tape is null) return;
        _numbers.Add((name, value.detach().to(float32).clone().DetachFromDisposeScope()));
    }

    /// <summary>Reports a number that the host knows already.</summary>
    public void Report(string name, double value)
    {
        if (_tape is not null) _numbers.Add((name, tensor((float)value).DetachFromDisposeScope()));
    }

    /// <summary>Says what floating-point operations the loss and its gradients take; several times, they add up. An objective that never says is one
    /// whose operations are not counted.</summary>
    /// <param name="operations">Of this micro-batch.</param>
    public void Count(StepOperations operations) => Operations = Operations is null ? operations : StepOperations.Sum([Operations, operations]);

    /// <summary>What was counted so far; null for nothing.</summary>
    public StepOperations? Operations { get; private set; }

    /// <summary>The loss of what was taken backward so far, times the micro-batch's weight; in parts.</summary>
    internal double Sum { get; private set; }

    /// <summary>The same on the device, where it is taken whole. [] float32.</summary>
    internal Tensor? DeviceSum { get; private set; }

    internal GradientTape? Tape => _tape;

    internal IReadOnlyList<StateMove> Moves => _moves;

    internal IReadOnlyList<(string Name, Tensor Value)> Numbers => _numbers;

    /// <summary>Takes what is left of a loss backward, to the parameters.</summary>
    /// <param name="loss">[].</param>
    /// <param name="mark">Where to stop: cuts before it are somebody else's.</param>
    internal void Complete(Tensor loss, int mark = 0)
    {
        if (InParts) _stop.ThrowIfCancellationRequested();
        if (loss.requires_grad) Take(loss, 1, mark);
        else _tape!.Backward(mark);
    }

    private void Take(Tensor part, double share, int mark)
    {
        var weighted = part.Multiply(_weight * share);
        _tape!.Backward(weighted, mark);
        if (InParts) Sum += weighted.dtype == ScalarType.Float64 ? weighted.item<double>() : weighted.item<float>();
        else DeviceSum = DeviceSum is null ? weighted.detach() : DeviceSum.Add(weighted.detach());
    }

    private int MarkOf(Tensor cut)
    {
        foreach (var (known, mark) in _cuts)
        {
            if (ReferenceEquals(known, cut)) return mark;
        }

        throw new ArgumentException("A loss can be taken backward down to what Step.Cut returned, and to nothing else.", nameof(cut));
    }
}

/// <summary>What a state tensor will move towards, if the step is finite.</summary>
/// <param name="State">The state.</param>
/// <param name="Towards">A copy, owned.</param>
/// <param name="Rate">In [0, 1].</param>
internal sealed record StateMove(Tensor State, Tensor Towards, double Rate);
