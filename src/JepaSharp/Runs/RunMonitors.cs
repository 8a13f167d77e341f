using JepaSharp.Configuration;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using JepaSharp.Monitoring;
using JepaSharp.Objectives;
using JepaSharp.Training;
using JepaSharp.Training.Progress;
using TorchSharp;

namespace JepaSharp.Runs;

/// <summary>The monitors of a run: what they look at, how often, and what they remember of the run before a resume.</summary>
internal sealed class RunMonitors : IDisposable
{
    private readonly PixelScaling _scaling;

    private RunMonitors(PixelScaling scaling, MonitoringObserver observer, LeftOutImages? leftOut) =>
        (_scaling, Observer, LeftOut) = (scaling, observer, leftOut);

    /// <summary>To be told of the run, after those who listen.</summary>
    public MonitoringObserver Observer { get; }

    /// <summary>The images that they were to look at and that could not be read; null where all could.</summary>
    public LeftOutImages? LeftOut { get; }

    /// <summary>The monitors that a configuration asks for; null where it asks for none.</summary>
    /// <param name="trainer">The run.</param>
    /// <param name="folder">Holds what was read of a run that is resumed.</param>
    /// <param name="size">What a reading looks at.</param>
    /// <param name="device">Where the networks are.</param>
    /// <param name="listeners">Who hears of readings and warnings.</param>
    /// <param name="stop">Leaves a reading unfinished.</param>
    public static RunMonitors? For(
        Trainer trainer, RunFolder folder, MonitorSize size, torch.Device device, ITrainingObserver listeners, CancellationToken stop)
    {
        var options = trainer.Plan.Options;
        if (options.Logging.MonitorEvery == 0) return null;
        var (data, plan) = (options.Data, trainer.Plan);
        var first = trainer.Objective.Cost([0, 1], Step.Untracked(plan.Seed, microBatch: -1));
        var sample = MonitorSample.Draw(trainer.Source, Transform(data), size, plan.Seed, first.Whole);
        var cost = trainer.Objective.Cost(sample.Batches[0].Indices, Step.Untracked(plan.Seed, microBatch: -1));
        var imagesPerStep = data.BatchSize * options.Optimization.Accumulate;
        var every = options.Logging.MonitorEvery ?? MonitorInterval.For(cost, size, imagesPerStep);
        var glanceEvery = MonitorInterval.ForGlances(cost, sample.Batches[0].Count, imagesPerStep);
        var watch = new CollapseWatch(CollapseAdvice.For(options), trainer.Objective.TargetsAreFixed, trainer.Objective.SignOfCollapse);
        if (trainer.Step.State.StepCount > 0)
        {
            // What was said before the stop is not said again; what is due at this very step is read again.
            foreach (var taken in MeasuresCsv.Read(folder.Measures).Where(t => t.Step < trainer.Step.State.StepCount))
                if (MonitorReading.From(taken.Values) is { } reading) _ = watch.Add(taken.Step, reading);
                else if (MonitorGlance.From(taken.Values) is { } glance) _ = watch.Add(taken.Step, glance);
        }

        var scaling = plan.Scaling(device);
        return new RunMonitors(
            scaling, new MonitoringObserver(new RunMonitor(sample, scaling), trainer.Objective, every, glanceEvery, watch, listeners, stop),
            sample.LeftOut);
    }

    /// <summary>How images are brought to size where nothing is random: whole scenes, squashed as training crops are; the centre of others.</summary>
    public static EvaluationTransform Transform(DataOptions data) =>
        data.ResolveSource() is null ? EvaluationTransform.Squash(data.CropSize) : EvaluationTransform.CenterCrop(data.CropSize);

    public void Dispose() => _scaling.Dispose();
}
