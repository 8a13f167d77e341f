using System.Diagnostics;
using JepaSharp.Configuration;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Models.Accelerated;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Training;

namespace JepaSharp.Studies;

/// <summary>How long a step takes on this machine as it is now: steps of a run that is thrown away, images and all.</summary>
internal static class StepMeasurement
{
    // The first steps take memory and compile code.
    private const int Unmeasured = 2, Fewest = 3, Most = 2000;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    /// <summary>Mean time of a step.</summary>
    /// <param name="options">The run's, in any layout.</param>
    /// <param name="share">Measures for so long at most; never longer than twenty seconds.</param>
    /// <param name="stop">Stops between steps.</param>
    /// <exception cref="JepaException">Options and images do not go together.</exception>
    public static TimeSpan Of(PretrainOptions options, TimeSpan share, CancellationToken stop)
    {
        using var source = options.Data.OpenSource();
        if (source is ScenesSource scenes) scenes.RenderAll(Environment.ProcessorCount, cancellation: stop);
        var plan = new PretrainPlan(options);
        var device = TorchBackend.ChooseDevice(options.Meta.Device);
        using var objective = KnownObjectives.Create(plan, device);
        var computation = ComputationChoice.For(options.Meta.ResolvePrecision(), device, objective.Encoder.Shape, trained: true).Computation;
        using var scaling = plan.Scaling(device);
        var loader = new ImageLoader(source, plan.Loading(objective.Views));
        using var step = new TrainingStep(
            objective, plan.Schedules(loader.BatchesPerEpoch),
            new StepSettings(computation, plan.Optimizer, options.Optimization.CheckpointActivations, plan.Seed));
        var limit = share < Longest ? share : Longest;
        var accumulate = options.Optimization.Accumulate;
        using var batches = loader.Epochs(0, 0, loader.BatchesPerEpoch, (Most + Unmeasured) * (long)accumulate, stop).GetEnumerator();
        var (clock, taken) = (new Stopwatch(), 0);
        for (var n = 0; taken < Most && (taken < Fewest || clock.Elapsed < limit); n++)
        {
            stop.ThrowIfCancellationRequested();
            if (n == Unmeasured) clock.Start();
            var fed = new List<ViewBatch>();
            try
            {
                while (fed.Count < accumulate && batches.MoveNext()) fed.Add(ViewBatch.Of(batches.Current, scaling));
                _ = step.Run(fed);
            }
            finally
            {
                foreach (var batch in fed) batch.Dispose();
            }

            if (clock.IsRunning) taken++;
        }

        return clock.Elapsed / taken;
    }
}
