using System.Diagnostics;
using JepaSharp.Configuration;
using JepaSharp.Data;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Training.Progress;
using static TorchSharp.torch;

namespace JepaSharp.Training;

/// <summary>Takes the steps of a run, one after the other: images and masks to the device, the step, what is to be reported of it.</summary>
/// <remarks>
/// On a device that works while the host goes on, a step's numbers are read only when the device has the gradients of the next one to work on, so that it never
/// waits for the host. Weights change in the same order with the same numbers: when a step is reported, they are as it left them.
/// </remarks>
/// <param name="step">The step.</param>
/// <param name="options">The run's options.</param>
/// <param name="feed">How batches become what a step takes.</param>
/// <param name="batches">The batches to come.</param>
/// <param name="watch">Decides about steps that are not finite.</param>
/// <param name="steps">Steps in an epoch and in the whole run.</param>
/// <param name="isAhead">Whether the device is given the next step before this one's numbers are read.</param>
internal sealed class StepRunner(
    PretrainStep step, PretrainOptions options, StepFeed feed, IEnumerator<ImageBatch> batches, NumberWatch watch, (int Epoch, long Total) steps, bool isAhead) : IDisposable
{
    private FedStep? _next;
    private StepUnderWay? _nextUnderWay;

    /// <summary>Takes the next step.</summary>
    /// <param name="stop">No step is begun ahead of one that is the last.</param>
    public StepReport Run(CancellationToken stop)
    {
        var number = step.StepCount + 1;
        using var fed = _next ?? feed.Next(batches, number);
        _next = null;
        var working = Stopwatch.StartNew();
        var result = (isAhead ? TakeAhead(fed, stop) : watch.Take(number, () => step.Run(fed.MicroBatches))) ?? Skipped(number);
        working.Stop();
        var iteration = (int)((number - 1) % steps.Epoch);
        return new StepReport
        {
            Epoch = (int)((number - 1) / steps.Epoch) + 1,
            Iteration = iteration,
            IterationsPerEpoch = steps.Epoch,
            Step = step.StepCount,
            TotalSteps = steps.Total,
            Loss = (float)result.Loss,
            LearningRate = result.LearningRate,
            WeightDecay = result.WeightDecay,
            Momentum = result.Momentum,
            ContextTokens = fed.ContextTokens,
            TargetTokens = fed.TargetTokens,
            StepTime = working.Elapsed + fed.Work,
            DataWait = fed.Wait,
            Images = options.Data.BatchSize * options.Optimization.Accumulate,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _nextUnderWay?.Dispose();
        _next?.Dispose();
    }

    private StepResult? TakeAhead(FedStep fed, CancellationToken stop)
    {
        using var underWay = _nextUnderWay ?? step.Begin(fed.MicroBatches);
        _nextUnderWay = null;
        step.Apply(underWay);
        if (underWay.Step < steps.Total && !stop.IsCancellationRequested)
        {
            _next = feed.Next(batches, underWay.Step + 1);
            _nextUnderWay = step.Begin(_next.MicroBatches);
        }

        var result = watch.Take(underWay.Step, () => step.Finish(underWay));
        if (result is null && _next is not null)
        {
            // The gradients asked for meanwhile are gone, and the step that was skipped counts.
            _nextUnderWay!.Dispose();
            step.Restore(underWay.Step, step.OptimizerStart);
            _nextUnderWay = step.Begin(_next.MicroBatches);
        }

        return result;
    }

    /// <summary>A step that is not finite, as far as it may be skipped, counts like any other, so that schedules and order go on.</summary>
    private StepResult Skipped(long number)
    {
        step.Restore(number, step.OptimizerStart);
        var (rate, decay, momentum) = step.ScheduledAt(number);
        return new StepResult(double.NaN, double.NaN, rate, decay, momentum);
    }
}

/// <summary>Brings batches and their masks to the device.</summary>
internal sealed class StepFeed(PretrainOptions options, MultiBlockMasking masking, PixelScaling scaling, Device device, PhaseClock clock)
{
    /// <summary>What a step learns from.</summary>
    /// <param name="batches">The batches to come.</param>
    /// <param name="step">The step's number, from 1: masks are keyed by it.</param>
    public FedStep Next(IEnumerator<ImageBatch> batches, long step)
    {
        var accumulate = options.Optimization.Accumulate;
        var (waiting, working) = (Stopwatch.StartNew(), new Stopwatch());
        var micro = new List<(Tensor Images, JepaMasks Masks)>(accumulate);
        int contextTokens = 0, targetTokens = 0;
        for (var m = 0; m < accumulate; m++)
        {
            if (!batches.MoveNext()) throw new InvalidOperationException($"There are no images for step {step}.");
            waiting.Stop();
            working.Start();
            var masks = masking.Sample((ulong)options.Meta.Seed, ((step - 1) * accumulate) + m, [.. batches.Current.Indices.Select(i => (long)i)]);
            (contextTokens, targetTokens) = (masks.ContextLength, masks.TargetLength);
            micro.Add((scaling.ToImages(batches.Current).DetachFromDisposeScope(), JepaMasks.Of(masks, device)));
            working.Stop();
            waiting.Start();
        }

        waiting.Stop();
        clock.Add("waiting for images", waiting.Elapsed);
        clock.Add("masks and upload", working.Elapsed);
        return new FedStep(micro, contextTokens, targetTokens, waiting.Elapsed, working.Elapsed);
    }
}

/// <summary>What a step learns from, on the device.</summary>
/// <param name="MicroBatches">Normalised images with their masks.</param>
/// <param name="ContextTokens">Patches of a context block.</param>
/// <param name="TargetTokens">Patches of a target block.</param>
/// <param name="Wait">Time that images were waited for.</param>
/// <param name="Work">Time that masks and copies took the host.</param>
internal sealed record FedStep(IReadOnlyList<(Tensor Images, JepaMasks Masks)> MicroBatches, int ContextTokens, int TargetTokens, TimeSpan Wait, TimeSpan Work) : IDisposable
{
    public void Dispose()
    {
        foreach (var (images, masks) in MicroBatches)
        {
            images.Dispose();
            masks.Dispose();
        }
    }
}
