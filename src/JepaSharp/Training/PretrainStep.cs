using System.Diagnostics;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Training;

/// <summary>How the optimizer is set, beside its schedules.</summary>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="ClipNorm">Largest L2 norm of all gradients together; null for no clipping, as published.</param>
public sealed record OptimizerSettings(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double? ClipNorm = null);

/// <summary>What one step did.</summary>
/// <param name="Loss">Mean over the step's micro-batches.</param>
/// <param name="GradientNorm">L2 norm of all gradients together, before any clipping.</param>
/// <param name="LearningRate">Used in this step.</param>
/// <param name="WeightDecay">Used in this step.</param>
/// <param name="Momentum">Of the moving average, used in this step.</param>
public readonly record struct StepResult(double Loss, double GradientNorm, double LearningRate, double WeightDecay, double Momentum);

/// <summary>One training step: loss and gradients, AdamW on context encoder and predictor, moving average into the target encoder.</summary>
public sealed class PretrainStep : IDisposable
{
    private readonly Schedules _schedules;
    private readonly OptimizerSettings _settings;

    /// <summary>Takes over the networks' memory: their parameters become views of flat tensors.</summary>
    /// <param name="objective">The method and its three networks.</param>
    /// <param name="schedules">Learning rate, weight decay and momentum of every step.</param>
    /// <param name="precision">Of the matrix products: float32 or bfloat16. Weights, moments and averages are float32 always.</param>
    /// <param name="settings">The optimizer's constants; null for the published ones.</param>
    /// <param name="checkpoint">Keep only the blocks' inputs for the backward pass and compute the rest again, where the CPU kernels are used.</param>
    public PretrainStep(ImageJepa objective, Schedules schedules, ScalarType precision = ScalarType.Float32, OptimizerSettings? settings = null, bool checkpoint = false)
    {
        Objective = objective;
        (_schedules, _settings) = (schedules, settings ?? new OptimizerSettings());
        Context = new FlatParameters(objective.ContextEncoder, trained: true);
        Prediction = new FlatParameters(objective.Predictor, trained: true);
        Target = new FlatParameters(objective.TargetEncoder, trained: false);
        foreach (var network in (FlatParameters[])[Context, Prediction, Target]) network.ComputeIn(precision, checkpoint);
        ContextOptimizer = new AdamW(Context, _settings.Beta1, _settings.Beta2, _settings.Epsilon);
        PredictorOptimizer = new AdamW(Prediction, _settings.Beta1, _settings.Beta2, _settings.Epsilon);
    }

    /// <summary>The method and its three networks.</summary>
    public ImageJepa Objective { get; }

    /// <summary>The context encoder's parameters.</summary>
    public FlatParameters Context { get; }

    /// <summary>The predictor's parameters.</summary>
    public FlatParameters Prediction { get; }

    /// <summary>The target encoder's parameters.</summary>
    public FlatParameters Target { get; }

    /// <summary>AdamW of the context encoder.</summary>
    public AdamW ContextOptimizer { get; }

    /// <summary>AdamW of the predictor.</summary>
    public AdamW PredictorOptimizer { get; }

    /// <summary>Steps taken so far.</summary>
    public long StepCount => ContextOptimizer.StepCount - OptimizerStart;

    /// <summary>Steps that the optimizer had taken before this run, where it began with another run's state; else 0.</summary>
    public long OptimizerStart { get; private set; }

    /// <summary>Takes one step on one or more micro-batches, whose gradients are averaged.</summary>
    /// <param name="microBatches">Normalised images [B, C, H, W] with their masks; the caller keeps and disposes them.</param>
    /// <exception cref="NumericalException">Loss or gradient is not finite; weights and averages are as they were before the step.</exception>
    public StepResult Run(params IReadOnlyList<(Tensor Images, JepaMasks Masks)> microBatches)
    {
        if (!Context.OnCpu)
        {
            using var underWay = Begin(microBatches);
            Apply(underWay);
            return Finish(underWay);
        }

        using var scope = NewDisposeScope();
        var step = StepCount + 1;
        var (rate, decay, momentum) = ScheduledAt(step);

        // 1. Gradients of the loss.
        Context.ZeroGradients();
        Prediction.ZeroGradients();
        var total = microBatches.Sum(batch => Backward(batch.Images, batch.Masks, microBatches.Count));
        var optimizing = Stopwatch.GetTimestamp();
        var norm = Math.Sqrt(Context.SquaredGradientNorm() + Prediction.SquaredGradientNorm());
        if (!double.IsFinite(total) || !double.IsFinite(norm)) throw NumericalException.At(step, total, norm, Context, Prediction);
        Clip(norm);

        // 2. AdamW. 3. Moving average, in the same pass over the memory.
        ContextOptimizer.Step(rate, decay, Target, momentum);
        PredictorOptimizer.Step(rate, decay);

        foreach (var network in (FlatParameters[])[Context, Prediction, Target]) network.RefreshWorkingCopy();
        Objective.Clock.Add("optimizer and average", Stopwatch.GetElapsedTime(optimizing));
        return new StepResult(total, norm, rate, decay, momentum);
    }

    /// <summary>Asks a device for the gradients of a step, and waits for nothing. Weights stay as they are until <see cref="Apply"/>.</summary>
    /// <param name="microBatches">As for <see cref="Run"/>; kept until the step is finished.</param>
    internal StepUnderWay Begin(IReadOnlyList<(Tensor Images, JepaMasks Masks)> microBatches)
    {
        using var scope = NewDisposeScope();
        Context.ZeroGradients();
        Prediction.ZeroGradients();
        Tensor? total = null;
        foreach (var (images, masks) in microBatches)
        {
            var loss = Objective.AddGradientsOnDevice(images, masks, 1.0 / microBatches.Count);
            total = total is null ? loss : total.Plus(loss);
            Context.CollectGradients();
            Prediction.CollectGradients();
        }

        using var untracked = no_grad();
        var numbers = stack([total!, Context.Gradients!.norm(), Prediction.Gradients!.norm()]);
        return new StepUnderWay(StepCount + 1, microBatches, numbers.DetachFromDisposeScope());
    }

    /// <summary>Asks the device for clipping, AdamW and the moving average, all of which change nothing there if the step is not finite.</summary>
    internal void Apply(StepUnderWay step)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        if (_settings.ClipNorm is { } limit)
        {
            // At most 1; 1 where the norm is 0.
            var factor = step.Numbers.narrow(0, 1, 2).norm().reciprocal().Times(limit).Within_(0, 1);
            _ = Context.Gradients!.mul_(factor);
            _ = Prediction.Gradients!.mul_(factor);
        }

        var notFinite = step.Numbers.isfinite().all().logical_not().to(float32);
        var (rate, decay, momentum) = ScheduledAt(step.Step);
        ContextOptimizer.StepIfFinite(rate, decay, Target, momentum, notFinite);
        PredictorOptimizer.StepIfFinite(rate, decay, null, 0, notFinite);
        foreach (var network in (FlatParameters[])[Context, Prediction, Target]) network.RefreshWorkingCopy();
        step.IsApplied = true;
    }

    /// <summary>Waits for a step's numbers.</summary>
    /// <exception cref="NumericalException">They are not finite; the device has changed nothing, and the step does not count. Gradients asked for since are lost.</exception>
    internal StepResult Finish(StepUnderWay step)
    {
        var (loss, norm) = step.Read();
        if (double.IsFinite(loss) && double.IsFinite(norm))
        {
            var (rate, decay, momentum) = ScheduledAt(step.Step);
            return new StepResult(loss, norm, rate, decay, momentum);
        }

        if (step.IsApplied) Restore(step.Step - 1, OptimizerStart);
        using (Begin(step.MicroBatches)) // the gradients once more, to say where they are not finite
            throw NumericalException.At(step.Step, loss, norm, Context, Prediction);
    }

    /// <summary>Brings everything derived from the weights up to date after they were replaced from outside.</summary>
    public void WeightsReplaced()
    {
        foreach (var network in (FlatParameters[])[Context, Prediction, Target]) network.RefreshWorkingCopy();
    }

    /// <summary>Learning rate, weight decay and momentum of a step, from 1.</summary>
    internal (double LearningRate, double WeightDecay, double Momentum) ScheduledAt(long step) =>
        (_schedules.LearningRate(step), _schedules.WeightDecay(step), _schedules.Momentum(step));

    /// <summary>Begins with the moments of an optimizer that has taken steps elsewhere; this run's own count stays 0.</summary>
    internal void StartOptimizerAt(long steps) => Restore(0, steps);

    /// <summary>Sets the counts, after weights and moments were restored.</summary>
    internal void Restore(long steps, long optimizerStart)
    {
        OptimizerStart = optimizerStart;
        ContextOptimizer.Restore(optimizerStart + steps);
        PredictorOptimizer.Restore(optimizerStart + steps);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ContextOptimizer.Dispose();
        PredictorOptimizer.Dispose();
        Context.Dispose();
        Prediction.Dispose();
        Target.Dispose();
    }

    private double Backward(Tensor images, JepaMasks masks, int count)
    {
        using var scope = NewDisposeScope();
        var loss = Objective.AddGradients(images, masks, 1.0 / count);
        Context.CollectGradients();
        Prediction.CollectGradients();
        return loss;
    }

    private void Clip(double norm)
    {
        if (_settings.ClipNorm is not { } limit || norm <= limit) return;
        using var untracked = no_grad();
        _ = Context.Gradients!.Times_(limit / norm);
        _ = Prediction.Gradients!.Times_(limit / norm);
    }
}
