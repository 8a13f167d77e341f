using JepaSharp.Configuration;
using JepaSharp.Models;
using JepaSharp.Models.Diffusion;
using JepaSharp.Objectives;
using JepaSharp.Objectives.Diffusion;
using JepaSharp.Optimization;
using JepaSharp.Runtime;
using JepaSharp.Training;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Objectives;

/// <summary>A decoder of what a frozen I-JEPA says keeps the contract.</summary>
public sealed class RcdmContractTests : ObjectiveContract<Rcdm>
{
    private readonly TemporaryFolder _weights = new();

    protected override PretrainOptions Options => FrozenWeights.Options(Tiny, _weights);

    protected override Rcdm New() => new PretrainPlan(Options).Rcdm();

    protected override bool IsRounding(string network, string name) => FrozenWeights.IsRounding(name);
}

/// <summary>And so it does with noise predicted, a learned variance, and the whole image drawn from the target encoder.</summary>
public sealed class PublishedRcdmContractTests : ObjectiveContract<Rcdm>
{
    private readonly TemporaryFolder _weights = new();

    protected override PretrainOptions Options
    {
        get
        {
            var options = FrozenWeights.Options(Tiny, _weights);
            return options with
            {
                Rcdm = options.Rcdm with
                {
                    Predicts = DiffusionTarget.Noise,
                    LearnSigma = true,
                    Decode = DecodedArea.Image,
                    Represents = DecodedRepresentation.Target,
                    Average = 0.9999,
                    AverageWarmup = false,
                },
            };
        }
    }

    protected override Rcdm New() => new PretrainPlan(Options).Rcdm();

    protected override bool IsRounding(string network, string name) => FrozenWeights.IsRounding(name);
}

public sealed class RcdmTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>A representation that tells the picture is used, and one that tells nothing is not: noise alone is learned from then.</summary>
    [Fact]
    public void Decoder_AfterSomeSteps_LosesByAnotherPicturesRepresentation()
    {
        using var scope = NewDisposeScope();
        var (pictures, conditions) = Colours(64);
        var schedules = new Schedules(
            new ScheduleOptions { StepsPerEpoch = 100, Epochs = 10, StartLearningRate = 3e-3, LearningRate = 3e-3 });
        using var step = new TrainingStep(Pairs(conditions, measured: true), schedules);
        var objective = (Rcdm)step.Objective;
        var before = RcdmMeasures.Gains(objective, pictures, conditions, seed: 1, TestContext.Current.CancellationToken)[^1];
        for (var turn = 0; turn < 60; turn++)
        {
            int[] chosen = [.. Enumerable.Range(0, 16).Select(i => ((turn * 16) + i) % 64)];
            using var batch = new ViewBatch(
                new Dictionary<string, Tensor>
                {
                    ["image"] = pictures.index_select(0, tensor([.. chosen.Select(c => (long)c)])).DetachFromDisposeScope(),
                },
                chosen);
            step.Run(batch);
        }

        var after = RcdmMeasures.Gains(objective, pictures, conditions, seed: 1, TestContext.Current.CancellationToken);
        Assert.Equal(0, before.Gain, 1e-6);
        Assert.Equal(RcdmMeasures.Bands + 1, after.Count);
        Assert.True(after[^1].Gain > 5 * after[^1].Error && after[^1].Error > 0, $"{after[^1]}");
        Assert.True(after[^1].Own < before.Own, $"{before.Own} before, {after[^1].Own} after");
        // What is drawn has the colour that was told.
        var start = zeros(2, 3, 8, 8);
        var drawn = objective.Draw(conditions.narrow(0, 0, 2), start, "ddim10");
        var wanted = pictures.narrow(0, 0, 2);
        Assert.True((drawn - wanted).abs().mean().item<float>() < (drawn - wanted.flip(0)).abs().mean().item<float>());
        Assert.True(drawn.abs().max().item<float>() <= 1);
    }

    [Fact]
    public void Frozen_Networks_AreAsTheyWere_AndKnownByTheirFingerprint()
    {
        using var scope = NewDisposeScope();
        var options = FrozenWeights.Options(ObjectiveOptions.Tiny, _folder);
        using var step = new TrainingStep(new PretrainPlan(options).Rcdm(), new Schedules(new ScheduleOptions { StepsPerEpoch = 10, Epochs = 1 }));
        var objective = (Rcdm)step.Objective;
        string[] Prints() => [.. objective.Networks.Where(n => n.Role == NetworkRole.Frozen).Select(n => WeightsFingerprint.Of(n.Module))];
        var before = Prints();
        using var batch = new ViewBatch(
            new Dictionary<string, Tensor> { ["image"] = randn(4, 3, 32, 32).DetachFromDisposeScope() }, [0, 1, 2, 3]);
        step.Run(batch);
        Assert.Equal(before, Prints());
        Assert.Equal(4, before.Length);
        Assert.Equal(((PredictedBlocks)objective.Options.Pairs).Jepa.Fingerprint, objective.Facts["decoded_networks"]);
    }

    /// <summary>Of a block, as it lies in the image: a box filter where it shrinks.</summary>
    [Fact]
    public void Pictures_OfBlocks_AreThePixelsThere()
    {
        using var scope = NewDisposeScope();
        var images = zeros(2, 3, 16, 16);
        images[0].narrow(1, 4, 8).narrow(2, 8, 8).fill_(1);
        images[1].narrow(1, 0, 8).narrow(2, 0, 8).fill_(1);
        var pictures = new BlockPictures(new ChannelScale([0.5, 0.5, 0.5], [0.25, 0.25, 0.25]), patch: 4, size: 4);
        var cut = pictures.Of(images, [new(1, 2, 2, 2), new(0, 0, 2, 2)]);
        Assert.Equal([2L, 3, 4, 4], cut.shape);
        // 2 (1 * 0.25 + 0.5) - 1
        Assert.True(cut.allclose(full(cut.shape, 0.5f)));
        Assert.Equal(0, pictures.Of(images)[0, 0, 0, 0].item<float>(), 1e-6);
    }

    [Fact]
    public void Scale_OfMeasuredRepresentations_MakesThemMeanZeroAndDeviationOne()
    {
        using var scope = NewDisposeScope();
        using var scale = new ConditionScale(3);
        var conditions = stack([arange(10, float32), arange(10, float32) * 100 + 7, full(10, 5f)], 1);
        scale.Measure(conditions);
        var scaled = scale.forward(conditions);
        Assert.True(scaled.mean([0L]).abs().max().item<float>() < 1e-5);
        Assert.Equal(1, scaled.std(0)[0].item<float>(), 1e-5);
        Assert.Equal(1, scaled.std(0)[1].item<float>(), 1e-5);
        Assert.Equal(0, scaled.select(1, 2).abs().max().item<float>());
    }

    [Theory]
    [InlineData("0", "no number above 0")]
    [InlineData("ddim", "no number above 0")]
    [InlineData("ddim333", "no stride")]
    [InlineData("many", "no number above 0")]
    [InlineData("600,600", "600 steps of a section that has 500")]
    public void Steps_ThatCannotBeKept_AreRefused(string text, string found)
    {
        var refused = Assert.Throws<JepaException>(() => StepSubset.Of(text, 1000));
        Assert.Contains(found, refused.Message);
        Assert.True(refused.IsUsage);
    }

    [Fact]
    public void Weights_WithoutAPredictor_AreRefused()
    {
        var path = Teachers.In(_folder);
        var options = FrozenWeights.Options(ObjectiveOptions.Tiny, _folder);
        options = options with { Rcdm = options.Rcdm with { Weights = path } };
        var refused = Assert.Throws<JepaException>(() => new PretrainPlan(options).Rcdm());
        Assert.Contains("holds no context encoder and no predictor", refused.Message);
    }

    [Fact]
    public void Shape_ThatCannotBe_IsRefusedWithEverythingThatIsWrong()
    {
        var shape = new DiffusionUNetShape { Channels = 48, ImageSize = 30, Condition = 8 };
        var refused = Assert.Throws<ArgumentException>(() => new DiffusionUNet(shape));
        Assert.Contains("48 channels", refused.Message);
        Assert.Contains("30 pixels", refused.Message);
        var lost = new DiffusionUNetShape { ScalesAndShifts = false, Condition = 8 };
        Assert.Contains("takes it away again", Assert.Throws<ArgumentException>(() => new DiffusionUNet(lost)).Message);
    }

    /// <summary>As training's views are laid out; the slower layout must not go through the network.</summary>
    [Fact]
    public void Images_WithTheirChannelsLast_AreDecodedToTheSameBits_LaidOutAsOthers()
    {
        using var scope = NewDisposeScope();
        using var network = new DiffusionUNet(new DiffusionUNetShape { ImageSize = 16, Condition = 8 });
        foreach (var parameter in network.parameters())
            using (no_grad()) _ = parameter.copy_(sin(arange(parameter.numel(), float32)).view(parameter.shape).Multiply(0.1));
        var last = sin(arange(2 * 16 * 16 * 3, float32)).view(2, 16, 16, 3).permute(0, 3, 1, 2);
        Assert.False(last.is_contiguous());
        var (steps, told) = (tensor([3f, 700f]), ones(2, 8));
        var (drawn, expected) = (network.Forward(last, steps, told), network.Forward(last.contiguous(), steps, told));
        Assert.True(drawn.is_contiguous());
        Assert.True(drawn.eq(expected).all().item<bool>());
        Assert.True(expected.std().item<float>() > 0);
    }

    /// <summary>The network that RCDM was published with, by its size alone.</summary>
    [Fact]
    public void Published_Network_HasAsManyParameters()
    {
        using var network = new DiffusionUNet(DiffusionUNetShape.Published(2048), META);
        Assert.Equal(423, network.ParameterCount / 1e6, 1.0);
        Assert.Equal(614, DiffusionProducts.Of(network.Shape).Forward / 1e9, 3.0);
        using var small = new DiffusionUNet(new DiffusionUNetShape { Condition = 192 }, META);
        Assert.Equal(1.40, small.ParameterCount / 1e6, 0.01);
        Assert.Equal(0.606, DiffusionProducts.Of(small.Shape).Forward / 1e9, 0.005);
    }

    /// <summary>Pictures of one colour each, and the colour as their representation, among numbers that do not vary.</summary>
    private static (Tensor Pictures, Tensor Conditions) Colours(int count)
    {
        var random = new RandomStream(3, RandomPurpose.Evaluation);
        var colours = new float[count * 3];
        for (var i = 0; i < colours.Length; i++) colours[i] = (float)random.NextDouble(-0.9, 0.9);
        var rows = tensor(colours, [count, 3]);
        return (rows.view(count, 3, 1, 1).expand(count, 3, 8, 8).contiguous(), cat([rows * 5 + 3, ones(count, 2)], 1));
    }

    private static Rcdm Pairs(Tensor conditions, bool measured) => new(new RcdmOptions
    {
        Pairs = new KeptPairs(
            conditions.clone().DetachFromDisposeScope(), new VisionTransformer(Teachers.Shape), 8, "colours", new Dictionary<string, string>()),
        Decoder = new DiffusionUNetShape { ImageSize = 8, Multipliers = [1, 1], AttentionSizes = [], Condition = 5 },
        Diffusion = new GaussianDiffusion(NoiseSchedule.Of(NoiseKind.Linear, 1000), DiffusionTarget.Image, learnsSigma: false),
        Measured = measured ? conditions : null,
        Average = 0.9,
    });
}

/// <summary>A small I-JEPA to be asked.</summary>
internal static class FrozenWeights
{
    /// <summary>Options of a decoder of one, its weights in a folder.</summary>
    public static PretrainOptions Options(PretrainOptions options, TemporaryFolder folder) => options with
    {
        Meta = options.Meta with { Objective = Rcdm.ShortName },
        Rcdm = new RcdmSection { Weights = In(options, folder), Heads = options.Meta.NumHeads, Size = 8, Multipliers = "1,1", Attention = "4" },
    };

    /// <summary>Written once, as a run writes them.</summary>
    public static string In(PretrainOptions options, TemporaryFolder folder)
    {
        var path = folder["jepa.safetensors"];
        if (!File.Exists(path)) Write(path, options, seed: 5);
        return path;
    }

    public static void Write(string path, PretrainOptions options, int seed)
    {
        using var scope = NewDisposeScope();
        var plan = new PretrainPlan(options with { Meta = options.Meta with { Objective = ImageJepa.ShortName, Seed = seed } });
        using var jepa = new ImageJepa(plan.ImageJepa);
        using (no_grad())
        {
            // Weights as large as those that have learned: what is said depends on what is seen.
            foreach (var network in jepa.Networks)
                foreach (var parameter in network.Module.parameters().Where(p => p.dim() > 1)) parameter.mul_(5);
        }

        var texts = WeightsMetadata.Describe(
            jepa.Encoder.Shape, jepa.Predictor.Shape, new PixelNormalization([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]));
        WeightsMetadata.DescribeObjective(texts, ImageJepa.ShortName, jepa.Networks.Select(n => n.Name), "target_encoder");
        SafetensorsWriter.Write(
            path, jepa.Networks.SelectMany(n => n.Module.state_dict().Select(p => KeyValuePair.Create($"{n.Name}.{p.Key}", p.Value))), texts);
    }

    /// <summary>Biases in front of a norm of one channel a group, and the keys' in attention.</summary>
    public static bool IsRounding(string name) => name.EndsWith(".qkv.bias", StringComparison.Ordinal)
        || name.EndsWith("in_layers.2.bias", StringComparison.Ordinal) || name.EndsWith("out_layers.3.bias", StringComparison.Ordinal)
        || name.EndsWith("skip_connection.bias", StringComparison.Ordinal) || name == "input_blocks.0.0.bias";
}

/// <summary>The small options of the contract, for tests beside it.</summary>
internal abstract class ObjectiveOptions : ObjectiveContract<Rcdm>
{
    public static new PretrainOptions Tiny => ObjectiveContract<Rcdm>.Tiny;
}
