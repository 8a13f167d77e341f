using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.FineTuning;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Models;
using JepaSharp.Runtime;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Evaluation.FineTuning;

public sealed class FineTunerTests : IDisposable
{
    private readonly PixelScaling _scaling = new([0.5, 0.5, 0.5], [0.25, 0.25, 0.25], CPU);
    private readonly VisionTransformer _encoder = new(new VisionTransformerShape { ImageHeight = 16, ImageWidth = 16, PatchSize = 8, Width = 16, Depth = 2, Heads = 1, MlpWidth = 32 });

    public FineTunerTests() => Initialization.Initialize(_encoder, 1, 0);

    public void Dispose()
    {
        _scaling.Dispose();
        _encoder.Dispose();
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void FineTuning_OnTwoColours_TellsThemApartAndLeavesTheEncoderAlone(ScalarType precision)
    {
        using var before = _encoder.parameters().First().clone();
        var options = new FineTuneOptions { Epochs = 30, BatchSize = 8, LearningRate = 0.2, Average = 0.9 };
        using var first = FineTuner.Fit(_encoder, _scaling, Colours(24, 0), 16, CPU, options, precision, cancellation: TestContext.Current.CancellationToken);
        using var again = FineTuner.Fit(_encoder, _scaling, Colours(24, 0), 16, CPU, options, precision, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(1, first.Score(Colours(10, 100), EvaluationTransform.CenterCrop(16), cancellation: TestContext.Current.CancellationToken).Accuracy);
        Assert.All(first.Parameters().Zip(again.Parameters()), pair => Assert.True(Same(pair.First.Parameter, pair.Second.Parameter), pair.First.Name));
        Assert.True(Same(_encoder.parameters().First(), before));
        Assert.False(Same(first.Parameters().First().Parameter, before));

        static bool Same(Tensor a, Tensor b) => a.data<float>().ToArray().AsSpan().SequenceEqual(b.data<float>().ToArray());
    }

    [Fact]
    public void Gradients_OfEveryParameter_AreThoseOfTheEnginesOwnDifferentiation()
    {
        using var scope = NewDisposeScope();
        var images = randn([3, 3, 16, 16], generator: new Generator(1));
        var targets = tensor(new float[,] { { 0.9f, 0.1f }, { 0.1f, 0.9f }, { 0.4f, 0.6f } });
        using var tuned = new FineTunedClassifier(_encoder, _scaling, 2, CPU, 0, ScalarType.Float32);
        var loss = tuned.AddGradients(images, targets);
        var gradients = tuned.Parameters().Select(p => (p.Name, Gradient: p.Parameter.grad!.clone())).ToList();

        // Outside a tape the encoder runs on the engine's operators, and so does the way back.
        foreach (var (_, parameter) in tuned.Parameters()) _ = parameter.grad!.detach().zero_();
        var expected = (nn.functional.log_softmax(tuned.Forward(images), 1) * targets).sum().div(-3f);
        expected.backward();
        Assert.Equal(expected.item<float>(), loss, 1e-5);
        Assert.All(gradients.Zip(tuned.Parameters()), pair =>
            Assert.True(allclose(pair.First.Gradient, pair.Second.Parameter.grad!, 1e-3, 1e-6), pair.First.Name));
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
            using var tuned = FineTuner.Fit(_encoder, _scaling, Colours(8, 0), 16, CPU, new FineTuneOptions { Epochs = 1, BatchSize = 4 });
            _ = tuned.Score(Colours(4, 50), EvaluationTransform.CenterCrop(16));
        }
    }

    [Fact]
    public void FineTuning_OnOneClass_IsRefused()
    {
        var one = Colours(6, 0) with { Labels = [0, 0, 0, 0, 0, 0] };
        Assert.Contains("one class", Assert.Throws<JepaException>(() => FineTuner.Fit(_encoder, _scaling, one, 16, CPU, new FineTuneOptions(), cancellation: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Optimizer_OverSteps_IsTheTextbooksWithARateForEachLayer()
    {
        double[] gradients = [0.5, -0.2, 0.3];
        using var patch = new Parameter(full([1, 1], 2f));
        using var head = new Parameter(full([1], 2f));
        using var optimizer = new LayerwiseAdamW([("patch_embed.proj.weight", patch), ("head.bias", head)], depth: 2, layerDecay: 0.5);
        double[] expected = [2, 2], mean = [0, 0], square = [0, 0], average = [2, 2];
        for (var t = 1; t <= gradients.Length; t++)
        {
            foreach (var parameter in (Parameter[])[patch, head])
            {
                if (parameter.grad is null) parameter.grad = zeros_like(parameter);
                _ = parameter.grad!.Become_(gradients[t - 1]);
            }

            optimizer.Step(0.1, 0.05, average: 0.5);
            for (var p = 0; p < 2; p++)
            {
                var rate = p == 0 ? 0.1 * Math.Pow(0.5, 3) : 0.1; // three layers below the head's
                mean[p] = (0.9 * mean[p]) + (0.1 * gradients[t - 1]);
                square[p] = (0.999 * square[p]) + (0.001 * gradients[t - 1] * gradients[t - 1]);
                if (p == 0) expected[p] -= rate * 0.05 * expected[p];
                expected[p] -= rate * mean[p] / (1 - Math.Pow(0.9, t)) / (Math.Sqrt(square[p] / (1 - Math.Pow(0.999, t))) + 1e-8);
                var momentum = Math.Min(0.5, (1.0 + t) / (10 + t));
                average[p] = (momentum * average[p]) + ((1 - momentum) * expected[p]);
            }

            Assert.Equal(expected[0], patch.item<float>(), 1e-5);
            Assert.Equal(expected[1], head.item<float>(), 1e-5);
        }

        optimizer.UseAverage();
        Assert.Equal(average[0], patch.item<float>(), 1e-5);
        Assert.Equal(average[1], head.item<float>(), 1e-5);
    }

    [Theory]
    [InlineData(0.8, 0)]
    [InlineData(0, 1.0)]
    public void Mixing_OfABatch_MixesTargetsByTheShareOfPixels(double mixup, double cutMix)
    {
        using var scope = NewDisposeScope();
        var images = cat([zeros(1, 3, 12, 12), ones(1, 3, 12, 12)]);
        var targets = eye(2);
        for (var i = 0; i < 20; i++)
        {
            var random = new RandomStream((ulong)i, RandomPurpose.Evaluation);
            var (mixed, labels) = BatchMixing.Apply(images, targets, new FineTuneOptions { Mixup = mixup, CutMix = cutMix }, ref random);
            for (var b = 0; b < 2; b++)
            {
                Assert.Equal(mixed[b].mean().item<float>(), labels[b, 1].item<float>(), 1e-5f);
                Assert.Equal(1, labels[b].sum().item<float>(), 1e-5f);
            }
        }
    }

    [Theory]
    [InlineData(0.8)]
    [InlineData(1.0)]
    [InlineData(3.0)]
    public void Beta_OverManyDraws_HasItsMeanAndVariance(double alpha)
    {
        var random = new RandomStream(5, RandomPurpose.Evaluation);
        var draws = new double[20000];
        for (var i = 0; i < draws.Length; i++) draws[i] = BatchMixing.Beta(alpha, ref random);
        Assert.Equal(0.5, draws.Average(), 0.01);
        Assert.Equal(1 / (4 * ((2 * alpha) + 1)), draws.Average(d => Math.Pow(d - 0.5, 2)), 0.003);
    }

    [Fact]
    public void Rate_OfASchedule_RisesThenFalls()
    {
        Assert.Equal(0.5, FineTuner.Rate(4, 100, 9, 1), 12);
        Assert.Equal(1, FineTuner.Rate(9, 100, 9, 1), 6);
        Assert.InRange(FineTuner.Rate(99, 100, 9, 1), 0, 0.01);
    }

    private static LabelledImages Colours(int count, int first) => new(new ColouredImages(count, first), [.. Enumerable.Range(0, count).Select(i => i % 2)], 2);

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
                for (var i = 0; i < image.Pixels.Length; i++) image.Pixels[i] = (byte)((image.Pixels[i] / 2) + (i % 3 == (number % 2 == 0 ? 0 : 2) ? 127 : 0));
                return image;
            }
        }
    }
}
