using JepaSharp.Configuration;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Runtime;
using JepaSharp.Training;
using JepaSharp.Training.Progress;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Training;

/// <summary>Whole small runs on rendered scenes.</summary>
public sealed class TrainerTests
{
    private static readonly PretrainOptions Tiny = new()
    {
        Data = new DataOptions { CropSize = 32, BatchSize = 4, SceneCount = 18, SceneSize = 32, NumWorkers = 2 },
        Mask = new MaskOptions { PatchSize = 8, MinKeep = 1 },
        Meta = new MetaOptions { ModelName = "vit_tiny", EmbedDim = 24, NumHeads = 2, Depth = 1, PredDepth = 1, PredEmbDim = 12 },
        Optimization = new OptimizationOptions { Epochs = 3, Warmup = 1 },
    };

    [Theory]
    [InlineData(4)] // at the end of an epoch
    [InlineData(6)] // in the middle of one
    public void Resume_AfterAStop_EndsInTheSameBitsAsAnUnbrokenRun(int stopAfter)
    {
        using var folder = new TemporaryFolder();
        var whole = Train(Path.Combine(folder.Path, "whole"), stopAfter: null, resume: false);
        _ = Train(Path.Combine(folder.Path, "broken"), stopAfter, resume: false);
        var resumed = Train(Path.Combine(folder.Path, "broken"), stopAfter: null, resume: true);
        Assert.Equal(12, whole.Losses.Count);
        Assert.Equal(whole.Losses.Skip(stopAfter), resumed.Losses);
        Assert.Equal(whole.Weights, resumed.Weights);
    }

    [Theory]
    [InlineData(1)] // one step an epoch, and two of its five batches are left over
    [InlineData(2)]
    public void Resume_WithBatchesLeftOverInAnEpoch_TakesTheStepsThatWouldHaveCome(int stopAfter)
    {
        var options = Tiny with { Data = Tiny.Data with { SceneCount = 20 }, Optimization = Tiny.Optimization with { Accumulate = 3 } };
        using var folder = new TemporaryFolder();
        var whole = Train(Path.Combine(folder.Path, "whole"), null, false, options);
        _ = Train(Path.Combine(folder.Path, "broken"), stopAfter, false, options);
        Assert.Equal(3, whole.Losses.Count);
        Assert.Equal(whole.Losses.Skip(stopAfter), Train(Path.Combine(folder.Path, "broken"), null, true, options).Losses);
    }

    [Fact]
    public void Run_ToTheEnd_LeavesTheCheckpointsThatWereAskedFor()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "run");
        _ = Train(path, null, false, Tiny with { Logging = new LoggingOptions { KeepLast = 2 } });
        Assert.Equal(
            ["epoch-0002", "epoch-0003", "latest"], Directory.GetDirectories(Path.Combine(path, "checkpoints")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Resume_WithAnotherArchitecture_SaysWhatDiffers()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "run");
        _ = Train(path, stopAfter: 2, resume: false);
        var error = Assert.Throws<JepaException>(() => Train(path, null, resume: true, Tiny with { Meta = Tiny.Meta with { Depth = 2 } }));
        Assert.Contains("another architecture", error.Message);
        Assert.Contains("meta.depth was 1 and is 2", error.Message);
    }

    [Fact]
    public void Resume_WithOtherImages_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "run");
        _ = Train(path, stopAfter: 2, resume: false);
        var error = Assert.Throws<JepaException>(() => Train(path, null, resume: true, Tiny with { Data = Tiny.Data with { SceneCount = 20 } }));
        Assert.Contains("18 images", error.Message);
    }

    private static (List<float> Losses, float[] Weights) Train(string path, int? stopAfter, bool resume, PretrainOptions? options = null)
    {
        options ??= Tiny;
        using var scope = NewDisposeScope();
        using var source = new ScenesSource(0, options.Data.SceneCount, options.Data.SceneSize);
        using var trainer = new Trainer(options, source, CPU);
        using var folder = resume ? RunFolder.Resume(path) : RunFolder.Create(path);
        if (resume) trainer.Resume(folder);
        else File.WriteAllText(folder.Config, options.ToYaml());
        using var stop = new CancellationTokenSource();
        var recorder = new LossRecorder(stop, stopAfter);
        trainer.Run(folder, recorder, stop: stop.Token);
        return (recorder.Losses, [.. trainer.Step.Target.Values.data<float>(), .. trainer.Step.Prediction.Values.data<float>()]);
    }

    private sealed class LossRecorder(CancellationTokenSource stop, int? stopAfter) : ITrainingObserver
    {
        public List<float> Losses { get; } = [];

        public void OnStep(in StepReport step)
        {
            Losses.Add(step.Loss);
            if (Losses.Count == stopAfter) stop.Cancel();
        }
    }
}
