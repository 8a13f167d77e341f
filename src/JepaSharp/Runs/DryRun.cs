using System.Diagnostics;
using JepaSharp.Data.Loading;
using JepaSharp.Models.Accelerated;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Training;

namespace JepaSharp.Runs;

/// <summary>A run tried without being begun: everything is built, one batch is drawn and a step or two are taken. Nothing is written.</summary>
/// <param name="Views">What is made of an image: name, crops and side of each.</param>
/// <param name="Networks">Name, what becomes of it, and parameters of each network.</param>
/// <param name="Loss">Of the first step.</param>
/// <param name="StepsPerEpoch">Steps in an epoch.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
/// <param name="FirstStep">Time of the first step, in which memory is taken and code is compiled.</param>
/// <param name="Step">Time of a step after it, images included.</param>
/// <param name="PeakMegabytes">Most memory that the process has held; null where the system does not say.</param>
/// <param name="Images">Images in the source.</param>
public sealed record DryRun(
    IReadOnlyList<(string Name, int Crops, int Side)> Views, IReadOnlyList<(string Name, NetworkRole Role, long Parameters)> Networks, double Loss,
    int StepsPerEpoch, long TotalSteps, TimeSpan FirstStep, TimeSpan Step, long? PeakMegabytes, int Images)
{
    private const int MostTimed = 3;
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(5);

    /// <summary>Floating-point operations of the first step; null where the objective counts none.</summary>
    public StepOperations? Operations { get; init; }

    /// <summary>Time of all steps of the run, without measures and checkpoints.</summary>
    public TimeSpan Whole => Step * TotalSteps;

    /// <summary>What will be asked, a sentence each: see <see cref="Objective.Describe"/>.</summary>
    public IReadOnlyList<string> Asked { get; private init; } = [];

    /// <summary>Builds and tries.</summary>
    /// <param name="setup">Options and images; the caller keeps and disposes the images.</param>
    /// <param name="stop">Ends it between steps.</param>
    /// <exception cref="JepaException">Options, images and machine do not go together.</exception>
    public static DryRun Of(RunSetup setup, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(setup);
        var options = setup.Options;
        var plan = new PretrainPlan(options);
        var device = TorchBackend.ChooseDevice(options.Meta.Device);
        using var objective = KnownObjectives.Create(plan, device);
        var computation = ComputationChoice.For(options.Meta.ResolvePrecision(), device, objective.Encoder.Shape, trained: true).Computation;
        using var scaling = plan.Scaling(device);
        var loader = new ImageLoader(setup.Source, plan.Loading(objective.Views));
        using var step = new TrainingStep(
            objective, plan.Schedules(loader.BatchesPerEpoch),
            new StepSettings(computation, plan.Optimizer, options.Optimization.CheckpointActivations, plan.Seed));
        var times = new List<TimeSpan>();
        double? loss = null;
        StepOperations? operations = null;
        var accumulate = options.Optimization.Accumulate;
        using var batches = loader.Epoch(0, cancellation: stop).GetEnumerator();
        for (var taken = 0; taken <= MostTimed && (taken < 2 || times.Skip(1).Aggregate(TimeSpan.Zero, (a, b) => a + b) < LongEnough); taken++)
        {
            stop.ThrowIfCancellationRequested();
            var clock = Stopwatch.StartNew();
            var fed = new List<ViewBatch>();
            try
            {
                while (fed.Count < accumulate && batches.MoveNext()) fed.Add(ViewBatch.Of(batches.Current, scaling));
                if (fed.Count < accumulate) break;
                var result = step.Run(fed);
                (loss, operations) = (loss ?? result.Loss, operations ?? result.Operations);
                times.Add(clock.Elapsed);
            }
            finally
            {
                foreach (var batch in fed) batch.Dispose();
            }
        }

        if (times.Count == 0)
        {
            throw new JepaException(
                $"An epoch has {loader.BatchesPerEpoch} batches of {options.Data.BatchSize}, fewer than the {accumulate} that one step accumulates. "
                + "Make data.batch_size or optimization.accumulate smaller.",
                isUsage: true);
        }

        return new DryRun(
            [.. objective.Views.Select(v => (v.Name, v.Count, v.Transform.CropSize))],
            [.. objective.Networks.Select(n => (n.Title, n.Role, n.Module.parameters().Sum(p => p.numel())))],
            loss!.Value, plan.StepsPerEpoch(loader.BatchesPerEpoch), plan.TotalSteps(loader.BatchesPerEpoch), times[0],
            times.Count > 1 ? times.Skip(1).Min() : times[0], ProcessPeak(), setup.Source.Count)
        {
            Asked = objective.Describe(options.Data.BatchSize, options.Optimization.Accumulate, plan.Seed),
            Operations = operations,
        };
    }

    /// <summary>Linux says; others are not asked.</summary>
    private static long? ProcessPeak()
    {
        const string status = "/proc/self/status", peak = "VmHWM:";
        if (!File.Exists(status) || File.ReadLines(status).FirstOrDefault(l => l.StartsWith(peak, StringComparison.Ordinal)) is not { } line)
            return null;
        return long.TryParse(line[peak.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), out var kilobytes) ? kilobytes / 1024 : null;
    }
}
