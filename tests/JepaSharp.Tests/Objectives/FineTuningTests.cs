using JepaSharp.Configuration;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Runtime;
using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Objectives;

/// <summary>Fine-tuning keeps the contract.</summary>
public sealed class FineTuningContractTests : ObjectiveContract<FineTuning>
{
    protected override PretrainOptions Options { get; } = Tiny with { Meta = Tiny.Meta with { Objective = FineTuning.ShortName } };

    protected override FineTuning New()
    {
        using var start = new VisionTransformer(new PretrainPlan(Options).Encoder);
        Initialization.Initialize(start, 3, 0);
        return new FineTuning(
            start, [.. Enumerable.Range(0, Options.Data.SceneCount).Select(i => i % 3)], 3, Options.Data.CropSize, new FineTuneOptions());
    }
}

public sealed class FineTuningTests
{
    private static readonly VisionTransformerShape Shape =
        new() { ImageHeight = 32, ImageWidth = 32, PatchSize = 8, Width = 32, Depth = 2, Heads = 2, MlpWidth = 64 };

    [Fact]
    public void Loss_OfOneImage_IsTheCrossEntropyWithItsSmoothedLabel()
    {
        using var scope = NewDisposeScope();
        using var objective = New(new FineTuneOptions { Smoothing = 0.3 });
        // log of softmax (1, 2, 4), by hand; the third class is given 1 - 0.3 + 0.3 / 3, the others 0.3 / 3.
        var sum = Math.Log(Math.Exp(1) + Math.Exp(2) + Math.Exp(4));
        var expected = -((0.1 * (1 - sum)) + (0.1 * (2 - sum)) + (0.8 * (4 - sum)));
        Assert.Equal(expected, objective.Loss(tensor(new float[,] { { 1, 2, 4 } }), tensor(new float[,] { { 0, 0, 1 } })).item<float>(), 1e-6);
    }

    [Fact]
    public void Loss_OfABatch_LooksLabelsUpByTheImagesIndices()
    {
        using var scope = NewDisposeScope();
        using var objective = New(new FineTuneOptions { Mixup = 0, CutMix = 0, Smoothing = 0 });
        var images = rand([3, 3, 32, 32], generator: new Generator(1));
        using var batch = new ViewBatch(new Dictionary<string, Tensor> { ["image"] = images }, [4, 0, 8]);
        var logits = FineTuning.Logits(objective.Encoder, objective.Head, images); // the averages begin as copies
        var chosen = nn.functional.log_softmax(logits, 1).gather(1, tensor(new long[,] { { 1 }, { 0 }, { 2 } }));
        Assert.Equal(-chosen.mean().item<float>(), objective.Loss(batch, Step.Untracked(0)).item<float>(), 1e-5);
    }

    [Fact]
    public void Draws_OfAMicroBatch_AreKeyedByIt()
    {
        using var scope = NewDisposeScope();
        using var objective = New(new FineTuneOptions());
        using var batch = new ViewBatch(new Dictionary<string, Tensor> { ["image"] = rand([3, 3, 32, 32], generator: new Generator(1)) }, [4, 0, 8]);
        float Loss(long microBatch) => objective.Loss(batch, Step.Untracked(0, microBatch)).item<float>();
        Assert.Equal(Loss(1), Loss(1));
        Assert.NotEqual(Loss(1), Loss(2));
    }

    [Fact]
    public void Step_OverSteps_IsTheTextbooksAdamWWithARateForEachLayerAndAnAverage()
    {
        using var scope = NewDisposeScope();
        using var objective = New(new FineTuneOptions { LayerDecay = 0.5, Average = 0.5 });
        var constant = new ScheduleOptions
        {
            StepsPerEpoch = 100,
            Epochs = 1,
            LearningRate = 0.1,
            FinalLearningRate = 0.1,
            WeightDecay = 0.05,
            FinalWeightDecay = 0.05,
        };
        using var step = new TrainingStep(objective, new Schedules(constant));
        using var batch = new ViewBatch(new Dictionary<string, Tensor> { ["image"] = rand([3, 3, 32, 32], generator: new Generator(1)) }, [4, 0, 8]);
        // Three layers below the head's rate, two, one, none; matrices decay.
        Watched[] watched =
        [
            new("encoder", "patch_embed.proj.weight", 0.125, 0.05), new("encoder", "blocks.0.mlp.fc1.weight", 0.25, 0.05),
            new("encoder", "blocks.1.norm1.bias", 0.5, 0),
            new("encoder", "norm.weight", 1, 0), new("head", "weight", 1, 0.05), new("head", "bias", 1, 0),
        ];
        foreach (var w in watched) (w.Value, w.Average) = (Of(w, ""), Of(w, "averaged_"));
        for (var t = 1; t <= 3; t++)
        {
            using var pending = step.Begin([batch]);
            foreach (var w in watched)
            {
                double gradient = GradientOf(w), rate = 0.1 * w.Share;
                w.Mean = (0.9 * w.Mean) + (0.1 * gradient);
                w.Square = (0.999 * w.Square) + (0.001 * gradient * gradient);
                w.Value -= rate * w.Decay * w.Value;
                w.Value -= rate * w.Mean / (1 - Math.Pow(0.9, t)) / (Math.Sqrt(w.Square / (1 - Math.Pow(0.999, t))) + 1e-8);
                var momentum = Math.Min(0.5, (1.0 + t) / (10 + t));
                w.Average = (momentum * w.Average) + ((1 - momentum) * w.Value);
            }

            step.Apply(pending);
            step.Finish(pending);
            Assert.All(watched, w => Assert.Equal(w.Value, Of(w, ""), 1e-4));
            Assert.All(watched, w => Assert.Equal(w.Average, Of(w, "averaged_"), 1e-4));
        }

        float Of(Watched w, string prefix) => step.State[prefix + w.Network].Network.Module.state_dict()[w.Name].flatten()[0].item<float>();
        float GradientOf(Watched w)
        {
            var parameters = step.State[w.Network].Parameters;
            var (_, shape, start) = parameters.Layout.Single(p => p.Name == w.Name);
            return FlatParameters.ViewOf(parameters.Gradients!, start, shape).flatten()[0].item<float>();
        }
    }

    [Theory]
    [InlineData("pos_embed", 0.064)]
    [InlineData("cls_token", 0.064)]
    [InlineData("patch_embed.proj.bias", 0.064)]
    [InlineData("blocks.0.attn.qkv.weight", 0.16)]
    [InlineData("blocks.1.mlp.fc2.bias", 0.4)]
    [InlineData("norm.bias", 1)]
    public void Rate_OfALayer_FallsFromTheHeadDown(string name, double share) =>
        Assert.Equal(share, LayerRates.Of(depth: 2, decay: 0.4)(name), 1e-12);

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

    private static FineTuning New(FineTuneOptions options)
    {
        using var start = new VisionTransformer(Shape);
        Initialization.Initialize(start, 3, 0);
        return new FineTuning(start, [.. Enumerable.Range(0, 9).Select(i => i % 3)], 3, 32, options);
    }

    private sealed record Watched(string Network, string Name, double Share, double Decay)
    {
        public double Value { get; set; }

        public double Average { get; set; }

        public double Mean { get; set; }

        public double Square { get; set; }
    }
}
