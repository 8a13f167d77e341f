using System.Diagnostics;
using System.Runtime;
using JepaSharp.Configuration;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Models.Accelerated;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Training;

namespace JepaSharp.Runs;

/// <summary>How long a step takes on this machine as it is now: steps of a run that is thrown away, images and all.</summary>
internal static class StepTime
{
    private const int Fewest = 3, Most = 2000, FewestUnmeasured = 2;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20), LongestUnmeasured = TimeSpan.FromSeconds(2);

    /// <summary>Mean time of a step, once steps compile nothing any more.</summary>
    /// <param name="options">The run's, in any layout.</param>
    /// <param name="source">Its images.</param>
    /// <param name="share">Measures for so long at most; never longer than twenty seconds.</param>
    /// <param name="stop">Stops between steps.</param>
    /// <exception cref="JepaException">Options and images do not go together.</exception>
    public static TimeSpan Of(PretrainOptions options, ImageSource source, TimeSpan share, CancellationToken stop)
    {
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
        using var batches = loader.Epochs(0, 0, loader.BatchesPerEpoch, 2 * Most * (long)accumulate, stop).GetEnumerator();
        var (unmeasured, compiled) = (Stopwatch.StartNew(), -1L);
        var (clock, taken) = (new Stopwatch(), 0);
        for (var n = 0; taken < Most && (taken < Fewest || clock.Elapsed < limit); n++)
        {
            stop.ThrowIfCancellationRequested();
            // The first steps take memory and compile code.
            var before = compiled;
            compiled = JitInfo.GetCompiledMethodCount();
            var isWarm = n >= FewestUnmeasured && (compiled == before || n == Most || unmeasured.Elapsed > LongestUnmeasured);
            if (isWarm && !clock.IsRunning) clock.Start();
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
