using JepaSharp.Models.Accelerated;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;
using static TorchSharp.torch;

namespace JepaSharp.Training;

/// <summary>What one step did.</summary>
/// <param name="Loss">Mean over the step's micro-batches.</param>
/// <param name="GradientNorm">L2 norm of all gradients together, before any clipping.</param>
/// <param name="LearningRate">Used in this step.</param>
/// <param name="WeightDecay">Used in this step.</param>
/// <param name="Momentum">Of the moving averages, used in this step.</param>
/// <param name="Numbers">What the objective reported beside the loss, by name.</param>
public sealed record StepResult(
    double Loss, double GradientNorm, double LearningRate, double WeightDecay, double Momentum, IReadOnlyDictionary<string, double> Numbers)
{
    /// <summary>Floating-point operations of all micro-batches; null where the objective counts none.</summary>
    public StepOperations? Operations { get; init; }
}

/// <summary>How steps are taken.</summary>
/// <param name="Precision">How the matrix products are computed; null for float32. Weights, moments and averages are float32 always.</param>
/// <param name="Optimizer">The optimizer's constants; null for the published ones.</param>
/// <param name="Checkpoint">Keep only the blocks' inputs for the backward pass and compute the rest again, where the CPU kernels are used.</param>
/// <param name="Seed">What an objective draws is keyed by it.</param>
/// <param name="RunsAhead">Whether numbers are read late, so that a device works while the host goes on; null for wherever there is a device.</param>
public sealed record StepSettings(
    Computation? Precision = null, OptimizerSettings? Optimizer = null, bool Checkpoint = false, ulong Seed = 0, bool? RunsAhead = null)
{
    /// <summary>The processes that take a step together, each as many of its micro-batches as the others; null for one process alone.</summary>
    public Collective? Ranks { get; init; }
}

/// <summary>One training step of any objective: loss and gradients, then, if they are finite, AdamW, moving averages and the objective's own
/// state.</summary>
/// <remarks>
/// The same path on every device: <see cref="Begin"/> asks for gradients, <see cref="Apply"/> for the changes, <see cref="Finish"/> for the numbers.
/// On a CPU the numbers are known after the first; on a device they are read after the third, and it is the device that changes nothing where they
/// are not finite.
/// </remarks>
public sealed class TrainingStep : IDisposable
{
    private readonly Schedules _schedules;
    private readonly OptimizerSettings _settings;
    private readonly ulong _seed;
    private readonly bool _isAhead;
    private readonly Collective _ranks;
    private readonly SharedStep? _shared;

    /// <summary>Takes over the networks' memory: see <see cref="TrainingState"/>.</summary>
    /// <param name="objective">What is learned; the caller keeps and disposes it.</param>
    /// <param name="schedules">Learning rate, weight decay and momentum of every step.</param>
    /// <param name="settings">How steps are taken; null for the published constants in float32.</param>
    public TrainingStep(Objective objective, Schedules schedules, StepSettings? settings = null)
    {
        settings ??= new StepSettings();
        (_schedules, _settings, _seed) = (schedules, settings.Optimizer ?? new OptimizerSettings(), settings.Seed);
        State = new TrainingState(objective, _settings, schedules.StepsPerEpoch);
        foreach (var network in State.Networks) network.Parameters.ComputeIn(settings.Precision ?? ScalarType.Float32, settings.Checkpoint);
        _isAhead = settings.RunsAhead ?? !State.IsOnCpu;
        _ranks = settings.Ranks ?? Collective.Alone;
        Meeting = new StepMeeting(_ranks);
        _shared = _ranks.Size == 1 ? null : new SharedStep(_ranks, State, Meeting);
    }

    /// <summary>Where the ranks come together in every step.</summary>
    internal StepMeeting Meeting { get; }

    /// <summary>Everything that a step changes.</summary>
    public TrainingState State { get; }

    /// <summary>What is learned.</summary>
    public Objective Objective => State.Objective;

    /// <summary>Where the time of steps goes.</summary>
    public PhaseClock Clock { get; } = new();

    /// <summary>Leaves a step between its parts while nothing has changed yet, with an <see cref="OperationCanceledException"/>, where gradients are
    /// taken in parts.</summary>
    internal CancellationToken Stop { get; set; }

    /// <summary>Whether a device is given the next step before this one's numbers are read.</summary>
    internal bool RunsAhead => _isAhead;

    /// <summary>Takes one step on one or more micro-batches, whose gradients are averaged.</summary>
    /// <param name="batches">Normalised views; the caller keeps and disposes them. Of several ranks, each gives its own: rank 0 the first ones, rank
    /// 1 those that follow.</param>
    /// <exception cref="NumericalException">Loss or gradient is not finite; weights, averages and state are as they were before the step.</exception>
    public StepResult Run(params IReadOnlyList<ViewBatch> batches)
    {
        using var pending = Begin(batches);
        Apply(pending);
        return Finish(pending);
    }

    /// <summary>Asks for the gradients of the next step. Weights stay as they are until <see cref="Apply"/>.</summary>
    /// <param name="batches">As for <see cref="Run"/>; kept until the step is finished.</param>
    internal PendingStep Begin(IReadOnlyList<ViewBatch> batches)
    {
        using var scope = NewDisposeScope();
        var number = State.StepCount + 1;
        foreach (var network in State.Trained) network.Parameters.ZeroGradients();
        using var comparison = ComparisonOf(number, batches);
        Step[] parts = [.. batches.Select((batch, m) => Backward(batch, StepOf(number, m, batches, comparison)))];
        using var untracked = no_grad();
        var compared = comparison?.Step;
        Step[] all = compared is null ? parts : [.. parts, compared];
        var loss = _isAhead ? all.Select(p => p.DeviceSum!).Aggregate((a, b) => a.Add(b)).to(float32) : null;
        var (sum, moves) = (0.0, (IReadOnlyList<StateMove>?)null);
        if (_shared is null) sum = loss is null ? all.Sum(p => p.Sum) : 0;
        else
        {
            using var together = Clock.Measure("gradients of all processes");
            (sum, moves) = _shared.Sum(number, all, loss);
        }

        using var timed = Clock.Measure("optimizer and averages");
        if (loss is null)
        {
            return new PendingStep(
                number, batches, sum, Math.Sqrt(State.Trained.Sum(n => n.Parameters.SquaredGradientNorm())), parts)
            { SharedMoves = moves, Compared = compared };
        }

        var numbers = stack([loss, .. State.Trained.Select(n => n.Parameters.Gradients!.norm())]);
        return new PendingStep(number, batches, numbers.DetachFromDisposeScope(), parts)
        { SharedMoves = moves, Compared = compared };
    }

    /// <summary>Clips, takes AdamW's step, moves averages and state: all of it, or, where the step is not finite, nothing.</summary>
    internal void Apply(PendingStep step)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var timed = Clock.Measure("optimizer and averages");
        Tensor? notFinite = null;
        if (step.OnDevice is { } numbers)
        {
            notFinite = numbers.isfinite().all().logical_not().to(float32);
            ClipOnDevice(numbers);
        }
        else
        {
            var (loss, norm) = step.Read();
            if (!double.IsFinite(loss) || !double.IsFinite(norm)) return;
            Clip(norm);
        }

        var (rate, decay, momentum) = ScheduledAt(step.Number);
        foreach (var network in State.Trained) Optimize(network, step.Number, rate, decay, momentum, notFinite);
        foreach (var (state, towards, share) in step.Moves()) Move(state, towards, share, notFinite);
        foreach (var network in State.Networks) network.Parameters.RefreshWorkingCopy();
        State.Count();
        step.IsApplied = true;
    }

    /// <summary>What a step did; waits for it.</summary>
    /// <exception cref="NumericalException">It is not finite; nothing has changed, and the step does not count. Gradients asked for since are
    /// lost.</exception>
    internal StepResult Finish(PendingStep step)
    {
        var (loss, norm) = step.Read();
        if (double.IsFinite(loss) && double.IsFinite(norm))
        {
            var (rate, decay, momentum) = ScheduledAt(step.Number);
            // An average may have a momentum of its own.
            momentum = State.Networks.FirstOrDefault(n => n.Network.MomentumAt is not null)?.Network.MomentumAt!(step.Number) ?? momentum;
            var (numbers, operations) = _shared is null
                ? (step.ReadNumbers(), step.Operations)
                : _shared.Join(step.ReadSums(), Objective.Numbers, step.Operations);
            return new StepResult(loss, norm, rate, decay, momentum, numbers) { Operations = operations };
        }

        if (!step.IsApplied) throw NumericalException.At(step.Number, loss, norm, State);
        State.Restore(step.Number - 1, State.OptimizerStart);
        using (Begin(step.Batches)) // the gradients once more, to say where they are not finite
            throw NumericalException.At(step.Number, loss, norm, State);
    }

    /// <summary>Learning rate, weight decay and momentum of a step, from 1.</summary>
    internal (double LearningRate, double WeightDecay, double Momentum) ScheduledAt(long step) =>
        (_schedules.LearningRate(step), _schedules.WeightDecay(step), _schedules.Momentum(step));

    /// <inheritdoc/>
    public void Dispose()
    {
        Meeting.Dispose();
        State.Dispose();
    }

    /// <summary>A micro-batch, numbered over all ranks.</summary>
    private Step StepOf(long number, int part, IReadOnlyList<ViewBatch> batches, StepComparison? comparison)
    {
        var (parts, images) = (batches.Count, batches[part].Count);
        var tape = GradientTape.Start(!_isAhead);
        return new Step(
            _seed, number, _schedules.Progress(number), FirstOf(number, parts) + (_ranks.Rank * parts) + part, 1.0 / (parts * _ranks.Size), tape,
            inParts: !_isAhead, _schedules.EpochOf(number), Stop)
        {
            GradientsOf = comparison is null ? null : features => comparison.GradientsOf(part, images, features, tape),
            IsRepeated = comparison?.Step is not null,
        };
    }

    /// <summary>Number of a step's first micro-batch in the whole run.</summary>
    private long FirstOf(long number, int parts) => (number - 1) * parts * _ranks.Size;

    /// <summary>What of the step compares images, where they are not all in one micro-batch. Made already where this rank has several; else on the
    /// way through its only one.</summary>
    private StepComparison? ComparisonOf(long number, IReadOnlyList<ViewBatch> batches)
    {
        if (!Objective.ComparesImages || batches.Count * _ranks.Size == 1) return null;
        var (first, progress, epoch) = (FirstOf(number, batches.Count), _schedules.Progress(number), _schedules.EpochOf(number));
        var comparison = new StepComparison(
            Objective, _shared, _ranks,
            tape => new Step(_seed, number, progress, first, 1.0 / _ranks.Size, tape, inParts: !_isAhead, epoch, Stop));
        if (batches.Count == 1) return comparison;
        using var timed = Clock.Measure("what is compared over the step");
        comparison.Compare(batches, Untracked, !_isAhead);
        foreach (var network in State.Trained) network.Parameters.CollectGradients();
        return comparison;

        Step Untracked(int part)
        {
            if (!_isAhead) Stop.ThrowIfCancellationRequested();
            return new Step(_seed, number, progress, first + (_ranks.Rank * batches.Count) + part, 1, tape: null, inParts: false, epoch, Stop);
        }
    }

    /// <summary>Adds a micro-batch's gradients to the parameters'.</summary>
    private Step Backward(ViewBatch batch, Step step)
    {
        using var scope = NewDisposeScope();
        using var tape = step.Tape;
        Tensor loss;
        using (Clock.Measure("loss, with what is taken backward at once")) loss = Objective.Loss(batch, step);
        if (step.HasCompared != Objective.ComparesImages)
        {
            throw new InvalidOperationException(
                $"{Objective.Name} says that it {(step.HasCompared ? "compares no images" : "compares images")}, and its loss "
                    + $"{(step.HasCompared ? "gave some to" : "gave none to")} Step.Compare: Objective.ComparesImages and Loss have to agree.");
        }

        using (Clock.Measure("backward")) step.Complete(loss);
        foreach (var network in State.Trained) network.Parameters.CollectGradients();
        _ = step.DeviceSum?.MoveToOuterDisposeScope();
        return step;
    }

    private void Optimize(NetworkState network, long step, double rate, double decay, double momentum, Tensor? notFinite)
    {
        // The first average in the same pass over the memory.
        var averages = State.AveragesOf(network).ToList();
        double Of(NetworkState average) => average.Network.MomentumAt?.Invoke(step) ?? momentum;
        var first = averages.FirstOrDefault();
        network.Optimizer!.Step(rate, decay, first?.Parameters, first is null ? 0 : Of(first), notFinite);
        foreach (var other in averages.Skip(1)) Move(other.Parameters.Values, network.Parameters.Values, 1 - Of(other), notFinite);
    }

    /// <summary>a &lt;- a + rate (b - a), or a as it is where the step is not finite.</summary>
    private static void Move(Tensor state, Tensor towards, double rate, Tensor? notFinite)
    {
        if (notFinite is null) _ = state.Lerp_(towards, rate);
        // A number that is none would survive a weight of 0.
        else _ = state.copy_(where(
            notFinite.to(ScalarType.Bool), state, state.lerp(towards, notFinite.Multiply(0).Add(tensor((float)rate, device: notFinite.device)))));
    }

    /// <summary>Whether its gradients are a part of the norm by which gradients are clipped together.</summary>
    private static bool IsMeasured(NetworkState network) => network.Network is { IsClipped: true, ClipsEach: false };

    private void Clip(double norm)
    {
        if (_settings.ClipNorm is not { } limit) return;
        List<NetworkState> together = [.. State.Trained.Where(IsMeasured)];
        if (together.Count < State.Trained.Count) norm = Math.Sqrt(together.Sum(n => n.Parameters.SquaredGradientNorm()));
        foreach (var network in State.Trained.Where(n => n.Network.IsClipped))
        {
            if (network.Network.ClipsEach) network.Parameters.ClipEach(limit);
            else if (norm > limit) _ = network.Parameters.Gradients!.Multiply_(limit / norm);
        }
    }

    private void ClipOnDevice(Tensor numbers)
    {
        if (_settings.ClipNorm is not { } limit) return;
        // At most 1; 1 where the norm is 0. The loss is the first of the numbers.
        Tensor[] norms = [.. Enumerable.Range(0, State.Trained.Count).Where(i => IsMeasured(State.Trained[i])).Select(i => numbers[i + 1])];
        var factor = norms.Length == 0 ? null : stack(norms).norm().reciprocal().Multiply(limit).Clamp_(0, 1);
        foreach (var network in State.Trained.Where(n => n.Network.IsClipped))
        {
            if (network.Network.ClipsEach) network.Parameters.ClipEach(limit);
            else _ = network.Parameters.Gradients!.mul_(factor!);
        }
    }
}
