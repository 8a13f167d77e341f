using JepaSharp.Configuration;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Training;
using JepaSharp.Training.Progress;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Outside;

/// <summary>An objective that the library does not know trains, resumes, is found in its weights, and is exported.</summary>
public sealed class StrangersObjectiveTests : IDisposable
{
    private static readonly PretrainOptions Options = new()
    {
        Data = new DataOptions { CropSize = 32, BatchSize = 4, SceneCount = 18, SceneSize = 32, NumWorkers = 2 },
        Meta = new MetaOptions { Objective = "two-views" },
        Optimization = new OptimizationOptions { Epochs = 3, Warmup = 1, Accumulate = 2 },
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("jepasharp-outside-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Run_StoppedAndResumed_IsTheUnbrokenRun_AndItsEncoderIsExported()
    {
        var whole = Train(Path.Combine(_folder, "whole"), stopAfter: null);
        _ = Train(Path.Combine(_folder, "broken"), stopAfter: 3);
        var resumed = Train(Path.Combine(_folder, "broken"), stopAfter: null);
        Assert.Equal(whole, resumed);

        var run = Path.Combine(_folder, "whole");
        Assert.StartsWith("epoch,itr,loss,centre_norm,", File.ReadLines(Path.Combine(run, "metrics.csv")).First(), StringComparison.Ordinal);
        // It says nothing of its operations, so that none are made up.
        Assert.All(File.ReadLines(Path.Combine(run, "metrics.csv")).Skip(1), row => Assert.EndsWith(",", row, StringComparison.Ordinal));
        using var weights = PretrainedWeights.Open(run);
        Assert.Equal(("two-views", "teacher"), (weights.Objective, weights.Evaluated));
        Assert.Equal(["student", "teacher"], weights.Present);
        Assert.Equal(["teacher"], WeightsExport.ToHuggingFace(weights, null, PixelNormalization.ImageNet, Path.Combine(_folder, "hf")));
        Assert.Equal(["student", "teacher"], WeightsExport.ToSafetensors(
            weights, null, PixelNormalization.ImageNet, Path.Combine(_folder, "all.safetensors")));

        using var ours = PretrainedNetworks.LoadEncoder(weights);
        using var published = PretrainedWeights.Open(Path.Combine(_folder, "hf"));
        using var theirs = PretrainedNetworks.LoadEncoder(published);
        using var exported = PretrainedWeights.Open(Path.Combine(_folder, "all.safetensors"));
        Assert.Equal("teacher", exported.Evaluated);
        using var images = rand(2, 3, 32, 32);
        using var untracked = no_grad();
        Assert.True(ours.forward(images).allclose(theirs.forward(images), atol: 1e-6));
    }

    private static float[] Train(string path, int? stopAfter)
    {
        using var scope = NewDisposeScope();
        using var source = new ScenesSource(0, Options.Data.SceneCount, Options.Data.SceneSize);
        using var trainer = new Trainer(Options, source, new TwoViews(), CPU);
        var isThere = RunFolder.HoldsRun(path);
        using var folder = isThere ? RunFolder.Resume(path) : RunFolder.Create(path);
        if (isThere) trainer.Resume(folder);
        else trainer.Begin(folder, Options.ToYaml());
        using var stop = new CancellationTokenSource();
        using var records = new TrainingObservers(
        [
            .. isThere
                ? RunRecords.Resume(folder, Options.Logging, trainer.Objective.Numbers, trainer.Step.State.StepCount)
                : RunRecords.Create(folder, Options.Logging, trainer.Objective.Numbers),
            new StopAfter(stop, stopAfter),
        ]);
        trainer.Run(folder, records, stop: stop.Token);
        return [.. trainer.Objective.Encoder.state_dict().Values.SelectMany(t => t.data<float>().ToArray()),
            .. trainer.Objective.State[0].Value.data<float>()];
    }

    private sealed class StopAfter(CancellationTokenSource stop, int? steps) : ITrainingObserver
    {
        public void OnStep(in StepReport step)
        {
            if (step.Step == steps) stop.Cancel();
        }
    }
}
