using JepaSharp.Configuration;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Training;

/// <summary>Steps of I-JEPA on images and masks that a test gives, one after the other.</summary>
internal sealed class JepaStep : IDisposable
{
    private IReadOnlyList<MaskBatch> _masks = [];

    public JepaStep(
        VisionTransformerShape encoder, PredictorShape predictor, Schedules schedules, StepSettings? settings = null, ulong seed = 0,
        JepaLoss loss = JepaLoss.SmoothL1)
    {
        // Micro-batches are numbered through the run: those of a step are the given ones in turn.
        Objective = new ImageJepa(new ImageJepaOptions
        {
            Encoder = encoder,
            Predictor = predictor,
            Seed = seed,
            Loss = loss,
            Masks = (_, microBatch, _) => _masks[(int)(microBatch % _masks.Count)],
        });
        Inner = new TrainingStep(Objective, schedules, settings);
    }

    public ImageJepa Objective { get; }

    public TrainingStep Inner { get; }

    public TrainingState State => Inner.State;

    public FlatParameters Context => Inner.Context;

    public FlatParameters Prediction => Inner.Prediction;

    public FlatParameters Target => Inner.Target;

    public AdamW ContextOptimizer => Inner.ContextOptimizer;

    public AdamW PredictorOptimizer => Inner.PredictorOptimizer;

    public long StepCount => Inner.StepCount;

    public long OptimizerStart => Inner.State.OptimizerStart;

    public StepResult Run(params (Tensor Images, MaskBatch Masks)[] batches)
    {
        using var pending = Begin(batches);
        Inner.Apply(pending);
        return Inner.Finish(pending);
    }

    /// <summary>The images stay the caller's.</summary>
    public PendingStep Begin(params (Tensor Images, MaskBatch Masks)[] batches)
    {
        _masks = [.. batches.Select(b => b.Masks)];
        return Inner.Begin([.. batches.Select(b => BatchOf(b.Images))]);
    }

    public static ViewBatch BatchOf(Tensor images) =>
        new(new Dictionary<string, Tensor> { ["image"] = images }, [.. Enumerable.Range(0, (int)images.shape[0])]);

    public void Dispose()
    {
        Inner.Dispose();
        Objective.Dispose();
    }
}

/// <summary>I-JEPA's networks in a step, by what they are.</summary>
internal static class JepaStates
{
    extension(TrainingStep step)
    {
        public FlatParameters Context => step.State["encoder"].Parameters;

        public FlatParameters Prediction => step.State["predictor"].Parameters;

        public FlatParameters Target => step.State["target_encoder"].Parameters;

        public AdamW ContextOptimizer => step.State["encoder"].Optimizer!;

        public AdamW PredictorOptimizer => step.State["predictor"].Optimizer!;

        public long StepCount => step.State.StepCount;
    }
}
