using JepaSharp.Configuration;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Models;
using JepaSharp.Monitoring;
using JepaSharp.Runtime;
using JepaSharp.Training;
using JepaSharp.Training.Progress;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Monitoring;

/// <summary>A run on a few rendered scenes that takes seconds, with monitors or without.</summary>
internal static class TinyRun
{
    public static readonly PretrainOptions Options = new()
    {
        Data = new DataOptions { CropSize = 32, BatchSize = 8, SceneCount = 64, SceneSize = 32, NumWorkers = 1 },
        Mask = new MaskOptions { PatchSize = 8, MinKeep = 1 },
        Meta = new MetaOptions
        {
            ModelName = "vit_tiny",
            EmbedDim = 24,
            NumHeads = 2,
            Depth = 1,
            PredDepth = 1,
            PredEmbDim = 12,
            Precision = Precision.Fp32
        },
        Optimization = new OptimizationOptions { Epochs = 3, Warmup = 1, StartLr = 1e-4, Lr = 1e-3 },
    };

    /// <summary>Trains into a folder, which becomes a whole run.</summary>
    /// <returns>The final weights of target encoder and predictor.</returns>
    public static float[] Train(string path, PretrainOptions options, int? monitorEvery, ITrainingObserver? listener = null)
    {
        using var scope = NewDisposeScope();
        using var source = new ScenesSource(0, options.Data.SceneCount, options.Data.SceneSize);
        using var trainer = new Trainer(options, source, CPU);
        using var folder = RunFolder.Create(path);
        File.WriteAllText(folder.Config, options.ToYaml());
        using var observers =
            new TrainingObservers([.. RunRecords.Create(folder, options.Logging, trainer.Objective.Numbers), listener ?? new Nobody()]);
        using var scaling = Scaling(options);
        var told = observers;
        if (monitorEvery is { } every)
        {
            var monitor = new RunMonitor(Sample(source, options), scaling);
            told = new TrainingObservers(
                observers, new MonitoringObserver(monitor, trainer.Objective, every, glanceEvery: 2, new CollapseWatch(), observers));
        }

        trainer.Run(folder, told);
        return [.. trainer.Step.State["target_encoder"].Parameters.Values.data<float>(),
            .. trainer.Step.State["predictor"].Parameters.Values.data<float>()];
    }

    public static MonitorSample Sample(ScenesSource source, PretrainOptions options) => MonitorSample.Draw(
        source, EvaluationTransform.Squash(options.Data.CropSize), new MonitorSize(32, 16, 3), 0);

    public static PixelScaling Scaling(PretrainOptions options) => new PretrainPlan(options).Scaling(CPU);

    private sealed class Nobody : ITrainingObserver;
}
