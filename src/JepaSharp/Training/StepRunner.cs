using System.Diagnostics;
using JepaSharp.Configuration;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Training.Progress;

namespace JepaSharp.Training;

/// <summary>Takes the steps of a run, one after the other: images and masks to the device, the step, what is to be reported of it.</summary>
/// <remarks>
/// On a device that works while the host goes on, a step's numbers are read only when the device has the gradients of the next one to work on, so
/// that it never waits for the host. Weights change in the same order with the same numbers: when a step is reported, they are as it left them.
/// </remarks>
/// <param name="step">The step.</param>
/// <param name="options">The run's options.</param>
/// <param name="feed">How batches become what a step takes.</param>
/// <param name="batches">The batches to come.</param>
/// <param name="guard">Decides about steps that are not finite.</param>
/// <param name="steps">Steps in an epoch and in the whole run.</param>
internal sealed class StepRunner(
    TrainingStep step, PretrainOptions options, StepFeed feed, IEnumerator<ViewBytes> batches, LossGuard guard,
    (int Epoch, long Total) steps) : IDisposable
{
    private FedStep? _next;
    private PendingStep? _nextPending;

    /// <summary>Takes the next step.</summary>
    /// <param name="stop">No step is begun ahead of one that is the last.</param>
    public StepReport Run(CancellationToken stop)
    {
        var number = step.State.StepCount + 1;
        using var fed = _next ?? feed.Next(batches, number);
        _next = null;
        var working = Stopwatch.StartNew();
        var result = (step.RunsAhead ? TakeAhead(fed, stop) : guard.Take(number, () => step.Run(fed.Batches))) ?? Skipped(number);
        working.Stop();
        var iteration = (int)((number - 1) % steps.Epoch);
        return new StepReport
        {
            Epoch = (int)((number - 1) / steps.Epoch) + 1,
            Iteration = iteration,
            IterationsPerEpoch = steps.Epoch,
            Step = step.State.StepCount,
            TotalSteps = steps.Total,
            Loss = (float)result.Loss,
            LearningRate = result.LearningRate,
            WeightDecay = result.WeightDecay,
            Momentum = result.Momentum,
            Numbers = [.. step.Objective.Numbers.Select(name => result.Numbers.GetValueOrDefault(name, double.NaN))],
            StepTime = working.Elapsed + fed.Work,
            DataWait = fed.Wait,
            Images = options.Data.BatchSize * options.Optimization.Accumulate,
            Operations = result.Operations?.Total,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _nextPending?.Dispose();
        _next?.Dispose();
    }

    private StepResult? TakeAhead(FedStep fed, CancellationToken stop)
    {
        using var pending = _nextPending ?? step.Begin(fed.Batches);
        _nextPending = null;
        step.Apply(pending);
        if (pending.Number < steps.Total && !stop.IsCancellationRequested)
        {
            _next = feed.Next(batches, pending.Number + 1);
            _nextPending = step.Begin(_next.Batches);
        }

        var result = guard.Take(pending.Number, () => step.Finish(pending));
        if (result is null && _next is not null)
        {
            // The gradients asked for meanwhile are gone, and the step that was skipped counts.
            _nextPending!.Dispose();
            step.State.Restore(pending.Number, step.State.OptimizerStart);
            _nextPending = step.Begin(_next.Batches);
        }

        return result;
    }

    /// <summary>A step that is not finite, as far as it may be skipped, counts like any other, so that schedules and order go on.</summary>
    private StepResult Skipped(long number)
    {
        step.State.Restore(number, step.State.OptimizerStart);
        var (rate, decay, momentum) = step.ScheduledAt(number);
        return new StepResult(double.NaN, double.NaN, rate, decay, momentum, new Dictionary<string, double>());
    }
}

/// <summary>Brings batches to the device.</summary>
/// <param name="accumulate">Micro-batches of a step that this process takes.</param>
/// <param name="scaling">The normalisation, and the device.</param>
/// <param name="clock">Is told where the time goes.</param>
internal sealed class StepFeed(int accumulate, PixelScaling scaling, PhaseClock clock)
{
    /// <summary>What a step learns from.</summary>
    /// <param name="batches">The batches to come.</param>
    /// <param name="step">The step's number, from 1.</param>
    public FedStep Next(IEnumerator<ViewBytes> batches, long step)
    {
        var (waiting, working) = (Stopwatch.StartNew(), new Stopwatch());
        var fed = new List<ViewBatch>(accumulate);
        for (var m = 0; m < accumulate; m++)
        {
            if (!batches.MoveNext()) throw new InvalidOperationException($"There are no images for step {step}.");
            waiting.Stop();
            working.Start();
            fed.Add(ViewBatch.Of(batches.Current, scaling));
            working.Stop();
            waiting.Start();
        }

        waiting.Stop();
        clock.Add("waiting for images", waiting.Elapsed);
        clock.Add("upload", working.Elapsed);
        return new FedStep(fed, waiting.Elapsed, working.Elapsed);
    }
}

/// <summary>What a step learns from, on the device.</summary>
/// <param name="Batches">Normalised views, a batch for each micro-batch.</param>
/// <param name="Wait">Time that images were waited for.</param>
/// <param name="Work">Time that copies took the host.</param>
internal sealed record FedStep(IReadOnlyList<ViewBatch> Batches, TimeSpan Wait, TimeSpan Work) : IDisposable
{
    public void Dispose()
    {
        foreach (var batch in Batches) batch.Dispose();
    }
}
