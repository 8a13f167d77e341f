using JepaSharp.Configuration;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Training;
using JepaSharp.Training.Progress;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Training;

/// <summary>A whole run of twelve steps in three epochs, on rendered scenes, in a folder.</summary>
internal sealed class TinyRun : IDisposable
{
    public static readonly PretrainOptions Options = new()
    {
        Data = new DataOptions { CropSize = 32, BatchSize = 4, SceneCount = 18, SceneSize = 32, NumWorkers = 2 },
        Mask = new MaskOptions { PatchSize = 8, MinKeep = 1 },
        Meta = new MetaOptions { ModelName = "vit_tiny", EmbedDim = 24, NumHeads = 2, Depth = 1, PredDepth = 1, PredEmbDim = 12 },
        Optimization = new OptimizationOptions { Epochs = 3, Warmup = 1 },
        Logging = new LoggingOptions { CheckpointSteps = 1 },
    };

    private readonly ScenesSource _source;

    public TinyRun(string path, PretrainOptions? options = null, bool isAhead = false)
    {
        options ??= Options;
        _source = new ScenesSource(0, options.Data.SceneCount, options.Data.SceneSize);
        Trainer = new Trainer(options, _source, KnownObjectives.Create(new PretrainPlan(options)), CPU, runsAhead: isAhead);
        var isThere = RunFolder.HoldsRun(path);
        Folder = isThere ? RunFolder.Resume(path) : RunFolder.Create(path);
        if (isThere) Said = Trainer.Resume(Folder);
        else Trainer.Begin(Folder, options.ToYaml());
    }

    public Trainer Trainer { get; }

    public RunFolder Folder { get; }

    public IReadOnlyList<string> Said { get; } = [];

    public List<string> Messages { get; } = [];

    public float[] Weights =>
        [.. Trainer.Step.Target.Values.data<float>(), .. Trainer.Step.Prediction.Values.data<float>(),
            .. Trainer.Step.ContextOptimizer.SecondMoment.data<float>()];

    /// <summary>Trains on; <paramref name="afterStep"/> may stop it.</summary>
    public TinyRun Go(Action<long, CancellationTokenSource>? afterStep = null)
    {
        using var stop = new CancellationTokenSource();
        Trainer.Run(Folder, new Listener(this, stop, afterStep), stop: stop.Token);
        return this;
    }

    public void Dispose()
    {
        Folder.Dispose();
        Trainer.Dispose();
        _source.Dispose();
    }

    private sealed class Listener(TinyRun run, CancellationTokenSource stop, Action<long, CancellationTokenSource>? afterStep) : ITrainingObserver
    {
        public void OnStep(in StepReport step) => afterStep?.Invoke(step.Step, stop);

        public void OnMessage(string text) => run.Messages.Add(text);
    }
}
