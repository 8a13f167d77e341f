using System.Diagnostics;
using JepaSharp.Configuration;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Training;
using JepaSharp.Training.Progress;
using static TorchSharp.torch;

namespace JepaSharp.Runs.Visualization;

/// <summary>The training of one decoder on kept pairs: a run in a folder like any other, that a stop leaves to be gone on with.</summary>
/// <param name="jepa">The networks whose words are decoded; the caller keeps them.</param>
/// <param name="store">The pairs.</param>
/// <param name="facts">What the decoders are of.</param>
/// <param name="device">Where to train.</param>
internal sealed class DecoderRun(FrozenJepa jepa, PairStore store, DecoderFacts facts, Device device)
{
    private const int Batch = 32, WarmupSteps = 100, TimedSteps = 4;
    private const double Rate = 1e-3, StartRate = 1e-5;

    /// <summary>Seconds that a step takes here.</summary>
    public double StepSeconds()
    {
        var pairs = Math.Min(facts.Pairs, PairStore.InAFile);
        using var source = store.Pictures(pairs);
        var options = Options(steps: 1000, "");
        using var scaling = new PretrainPlan(options).Scaling(device);
        using var objective = Objective(BlockSource.Predictor, pairs);
        using var step = new TrainingStep(
            objective, new PretrainPlan(options).Schedules(source.Count / Batch), new StepSettings(ScalarType.Float32));
        var loader = new ImageLoader(source, new PretrainPlan(options).Loading(objective.Views));
        var (clock, taken) = (new Stopwatch(), 0);
        foreach (var bytes in loader.Epochs(0, 0, loader.BatchesPerEpoch, TimedSteps + 1))
        {
            // The first takes memory and compiles code.
            if (taken++ == 1) clock.Start();
            using var batch = ViewBatch.Of(bytes, scaling);
            step.Run(batch);
        }

        return clock.Elapsed.TotalSeconds / Math.Max(1, taken - 1);
    }

    /// <summary>The decoder of what one says: trained now, to its end, or as it was trained before.</summary>
    /// <param name="who">Whose words.</param>
    /// <param name="folder">The run's folder.</param>
    /// <param name="data">What the images are called.</param>
    /// <param name="listener">Is told how it goes.</param>
    /// <param name="stop">Finishes the step, writes a checkpoint, and stops.</param>
    /// <exception cref="OperationCanceledException">It was stopped; the same call goes on.</exception>
    public Rcdm Trained(BlockSource who, string folder, string data, ITrainingObserver listener, CancellationToken stop)
    {
        var (options, source) = (Options(facts.Steps!.Value, data), store.Pictures(facts.Pairs));
        var isThere = RunFolder.HoldsRun(folder);
        if (!isThere && Directory.Exists(folder)) Directory.Delete(folder, recursive: true); // begun and never a run
        var objective = Objective(who, facts.Pairs);
        var trainer = new Trainer(options, source, objective, device);
        try
        {
            using (var opened = isThere ? RunFolder.Resume(folder) : RunFolder.Create(folder))
            {
                if (isThere) trainer.Resume(opened);
                else trainer.Begin(opened, RunPaths.Whole(options).ToYaml());
                if (trainer.Step.State.StepCount < trainer.TotalSteps)
                {
                    var (logging, numbers, begun) = (options.Logging, objective.Numbers, trainer.Step.State.StepCount);
                    var records = isThere ? RunRecords.Resume(opened, logging, numbers, begun) : RunRecords.Create(opened, logging, numbers);
                    using var observers = new TrainingObservers([.. records, listener]);
                    if (trainer.Run(opened, observers, stop: stop).Outcome != RunOutcome.Completed)
                        throw new OperationCanceledException($"The training of a decoder was stopped; {folder} holds where it stands.", stop);
                }
            }

            // The average is what is drawn with: all else may go.
            return Copy(objective, who);
        }
        finally
        {
            trainer.Dispose();
            source.Dispose();
        }
    }

    private Rcdm Objective(BlockSource who, int pairs)
    {
        var encoder = new VisionTransformer(jepa.Shape, device);
        foreach (var parameter in encoder.parameters()) parameter.requires_grad = false;
        Copy(jepa.TargetEncoder, encoder);
        var conditions = store.Conditions(pairs, who).to(device);
        var texts = new Dictionary<string, string>
        {
            ["decoded_networks"] = facts.Fingerprint,
            ["represents"] = who.ToString().ToLowerInvariant(),
            ["decodes"] = "block",
        };
        var kept = new KeptPairs(conditions, encoder, facts.Size, $"what the {who} says of {pairs} kept blocks", texts);
        var options = PretrainPlan.RcdmOptionsOf(new RcdmSection { Size = facts.Size }, kept, (ulong)facts.Seed);
        return new Rcdm(options with { Measured = conditions }, device);
    }

    /// <summary>The same weights in an objective of its own, apart from a trainer's memory.</summary>
    private Rcdm Copy(Rcdm trained, BlockSource who)
    {
        var fresh = Objective(who, facts.Pairs);
        Copy(trained.Average, fresh.Average);
        Copy(trained.Scale, fresh.Scale);
        return fresh;
    }

    private static void Copy(nn.Module from, nn.Module to)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        foreach (var (mine, theirs) in to.parameters().Zip(from.parameters())) _ = mine.copy_(theirs);
    }

    private PretrainOptions Options(int steps, string data)
    {
        var perEpoch = Math.Max(1, facts.Pairs / Batch);
        var half = new ChannelTriple(0.5, 0.5, 0.5);
        return new PretrainOptions
        {
            Data = new DataOptions
            {
                Path = data.Length == 0 ? null : data,
                BatchSize = Batch,
                CropSize = facts.Size,
                CropScale = new Interval(1, 1),
                CropAspect = new Interval(1, 1),
                Mean = half,
                Std = half,
                NumWorkers = 1,
            },
            Mask = new MaskOptions { PatchSize = facts.Patch },
            Meta = new MetaOptions { Objective = Rcdm.ShortName, Seed = facts.Seed, ModelName = "vit_tiny", Precision = Precision.Fp32 },
            Rcdm = new RcdmSection { Weights = jepa.Name, Size = facts.Size },
            Optimization = new OptimizationOptions
            {
                Epochs = (steps + perEpoch - 1) / perEpoch,
                MaxSteps = steps,
                Warmup = (double)WarmupSteps / perEpoch,
                StartLr = StartRate,
                Lr = Rate,
                FinalLr = Rate,
                WeightDecay = 0,
                FinalWeightDecay = 0,
                ClipGrad = 1,
            },
            Logging = new LoggingOptions
            {
                CheckpointSteps = CheckpointSteps,
                Tensorboard = false,
                MonitorEvery = 0,
                EvaluateEvery = null,
                KeepLast = 1,
            },
        };
    }

    // About a minute on two cores: a stop by Ctrl-C loses nothing, a power cut that much.
    private const int CheckpointSteps = 60;
}
