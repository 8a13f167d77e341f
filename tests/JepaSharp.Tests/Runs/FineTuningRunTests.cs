using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.FineTuning;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Runs;
using JepaSharp.Runtime;
using JepaSharp.Training;
using JepaSharp.Training.Progress;
using JepaSharp.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Runs;

public sealed class FineTuningRunTests : IDisposable
{
    private static readonly PixelNormalization Normalization = new([0.5, 0.5, 0.5], [0.25, 0.25, 0.25]);
    private readonly TemporaryFolder _folder = new();
    private readonly VisionTransformer _encoder =
        new(new VisionTransformerShape { ImageHeight = 16, ImageWidth = 16, PatchSize = 8, Width = 16, Depth = 2, Heads = 1, MlpWidth = 32 });

    public FineTuningRunTests() => Initialization.Initialize(_encoder, 1, 0);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _encoder.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void FineTuning_OnTwoColours_TellsThemApartAndLeavesTheEncoderAlone(ScalarType precision)
    {
        using var before = _encoder.parameters().First().clone();
        var request =
            Request(24, new FineTuneOptions { Epochs = 30, BatchSize = 8, LearningRate = 0.2, Average = 0.9 }) with { Precision = precision };
        using var first = FineTuningRun.Run(request, stop: Cancellation);
        using var again = FineTuningRun.Run(request, stop: Cancellation);
        Assert.Equal(1, first.Score(Colours(10, 100), EvaluationTransform.CenterCrop(16), cancellation: Cancellation).Accuracy);
        Assert.Equal(WeightsOf(first), WeightsOf(again));
        Assert.True(Same(_encoder.parameters().First(), before));
        Assert.False(Same(first.Encoder.parameters().First(), before));

        static bool Same(Tensor a, Tensor b) => a.data<float>().ToArray().AsSpan().SequenceEqual(b.data<float>().ToArray());
    }

    [Fact]
    public void FineTuning_RunAndDisposed_LeavesNoTensorAlive()
    {
        Run();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Run();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);

        void Run()
        {
            using var tuned = FineTuningRun.Run(Request(8, new FineTuneOptions { Epochs = 1, BatchSize = 4 }), stop: Cancellation);
            _ = tuned.Score(Colours(4, 50), EvaluationTransform.CenterCrop(16), cancellation: Cancellation);
        }
    }

    [Fact]
    public void FineTuning_OnOneClass_IsRefused()
    {
        var one = Request(6, new FineTuneOptions()) with { Fit = Colours(6, 0) with { Labels = [0, 0, 0, 0, 0, 0] } };
        Assert.Contains(
            "one class", Assert.Throws<JepaException>(() => FineTuningRun.Run(one, stop: Cancellation)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_StoppedAndResumed_EndsWithTheWeightsOfTheUnbrokenOne()
    {
        var request = Request(12, new FineTuneOptions { Epochs = 3, BatchSize = 4, LearningRate = 0.2 });
        using var whole = FineTuningRun.Run(request, stop: Cancellation);
        using (var folder = RunFolder.Create(_folder["run"]))
        using (var stop = new CancellationTokenSource())
            Assert.Throws<OperationCanceledException>(() => FineTuningRun.Run(request, folder, new StopAfter(4, stop), stop.Token));

        using (var folder = RunFolder.Resume(_folder["run"]))
        {
            var other = request with { Recipe = request.Recipe with { LayerDecay = 0.5 } };
            Assert.Contains("recipe.layer_decay was 0.75, now 0.5",
                Assert.Throws<JepaException>(() => FineTuningRun.Run(other, folder, stop: Cancellation)).Message, StringComparison.Ordinal);
            using var resumed = FineTuningRun.Run(request, folder, stop: Cancellation);
            Assert.Equal(WeightsOf(whole), WeightsOf(resumed));
            Assert.Equal(9, MetricsCsv.Read(folder.Metrics).Count());
        }

        // What the folder holds is the classifier: the averages are what is handed over.
        using var kept = PretrainedWeights.Open(_folder["run"]);
        Assert.Equal("averaged_encoder", kept.Evaluated);
        using var encoder = PretrainedNetworks.LoadEncoder(kept, kept.Evaluated);
        Assert.Equal(NumbersOf(whole.Encoder), NumbersOf(encoder));
    }

    [Fact]
    public void Classifier_Saved_IsReadAsAnEncoderWithAHead()
    {
        using var tuned = FineTuningRun.Run(Request(8, new FineTuneOptions { Epochs = 1, BatchSize = 4 }), stop: Cancellation);
        tuned.Save(_folder["kept.safetensors"]);
        using var weights = PretrainedWeights.Open(_folder["kept.safetensors"]);
        Assert.Equal(FineTuning.ShortName, weights.Objective);
        Assert.Equal(Normalization.Mean, weights.Normalization!.Mean);
        using var encoder = PretrainedNetworks.LoadEncoder(weights, weights.Evaluated);
        Assert.Equal(NumbersOf(tuned.Encoder), NumbersOf(encoder));
        using var file = SafetensorsFile.Open(_folder["kept.safetensors"]);
        using var weight = file.Read("head.weight");
        Assert.Equal(tuned.Head.parameters().First().data<float>().ToArray(), weight.data<float>().ToArray());
    }

    [Theory]
    [InlineData(50, 64, 1, 5)]
    [InlineData(20, 16, 4, 2)]
    public void Options_OfARecipe_ScaleTheRateAndKeepTheWarmUpToATenth(int epochs, int batch, int accumulate, double warmup)
    {
        var options = Request(
            64, new FineTuneOptions
            {
                Epochs = epochs,
                BatchSize = batch,
                Accumulate = accumulate,
                LearningRate = 0.01,
                Clip = 3,
                SkipNonFinite = 2
            }).ToOptions();
        Assert.Equal(warmup, options.Optimization.Warmup);
        Assert.Equal(0.01 * 64 / 256, options.Optimization.Lr, 1e-12);
        Assert.Equal((3, 2, accumulate), (options.Optimization.ClipGrad, options.Optimization.SkipNonFinite, options.Optimization.Accumulate));
        Assert.Equal(0.05, options.Optimization.FinalWeightDecay);
        Assert.Empty(options.FindProblems());

        // Linear from 0 to the peak during warm-up, then a cosine towards nothing.
        var schedules = new PretrainPlan(options).Schedules(batches: 10 * accumulate);
        var (peak, rises) = (options.Optimization.Lr, (long)(10 * warmup));
        Assert.Equal(peak / 2, schedules.LearningRate(rises / 2), 1e-12);
        Assert.Equal(peak, schedules.LearningRate(rises), 1e-12);
        Assert.Equal(1e-6, schedules.LearningRate(10 * epochs), 1e-9);
    }

    private static float[] WeightsOf(FineTunedClassifier classifier) => [.. NumbersOf(classifier.Encoder), .. NumbersOf(classifier.Head)];

    private static IEnumerable<float> NumbersOf(nn.Module network) => network.parameters().SelectMany(p => p.data<float>().ToArray());

    private FineTuningRequest Request(int images, FineTuneOptions recipe) =>
        new() { Start = _encoder, Normalization = Normalization, Fit = Colours(images, 0), Size = 16, Recipe = recipe };

    private sealed class StopAfter(int steps, CancellationTokenSource stop) : ITrainingObserver
    {
        public void OnStep(in StepReport step)
        {
            if (step.Step == steps) stop.Cancel();
        }
    }

    private static LabelledImages Colours(int count, int first) =>
        new(new ColouredImages(count, first), [.. Enumerable.Range(0, count).Select(i => i % 2)], 2);

    /// <summary>Even images are reddish, odd ones bluish, each with its own noise.</summary>
    private sealed class ColouredImages(int count, int first) : ImageSource
    {
        public override int Count => count;

        public override string Description => "coloured images";

        public override string NameOf(int index) => $"image {first + index}";

        public override OpenedImage Open(int index) => new Coloured(first + index);

        private sealed class Coloured(int number) : OpenedImage
        {
            public override int Width => 16;

            public override int Height => 16;

            public override RgbImage Decode()
            {
                var image = JepaSharp.Tests.Data.EncodedImages.Noise(16, 16, (ulong)number);
                for (var i = 0; i < image.Pixels.Length; i++)
                    image.Pixels[i] = (byte)((image.Pixels[i] / 2) + (i % 3 == (number % 2 == 0 ? 0 : 2) ? 127 : 0));
                return image;
            }
        }
    }
}
