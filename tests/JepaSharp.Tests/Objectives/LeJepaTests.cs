using JepaSharp.Configuration;
using JepaSharp.Data;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Tests.Data;
using JepaSharp.Training;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Objectives;

/// <summary>LeJEPA keeps the contract.</summary>
public sealed class LeJepaContractTests : ObjectiveContract<LeJepa>
{
    protected override PretrainOptions Options => LeJepaTests.Options(Tiny);

    protected override LeJepa New() => new(new PretrainPlan(Options).LeJepa);

    protected override bool IsRounding(string network, string name) =>
        (network, name) is ("backbone", "norm.bias") or ("head", "bias") or ("projector", "0.bias") or ("projector", "4.bias")
            or ("state", "projector.0.mean") or ("state", "projector.1.mean");
}

public sealed class LeJepaTests
{
    private static readonly PretrainOptions Small = Options(new PretrainOptions
    {
        Data = new DataOptions { CropSize = 32, BatchSize = 4 },
        Mask = new MaskOptions { PatchSize = 8 },
        Meta = new MetaOptions { ModelName = "vit_tiny", EmbedDim = 32, NumHeads = 2, Depth = 2 },
    });

    /// <summary>The same with LeJEPA, small.</summary>
    internal static PretrainOptions Options(PretrainOptions options) => options with
    {
        Meta = options.Meta with { Objective = LeJepa.ShortName },
        Lejepa = new LeJepaSection { Directions = 24, Embedding = 24, Hidden = 40, Projection = 8, Lambda = 0.1 },
        Views = new ViewSection { Local = 2, LocalSize = 16 },
    };

    [Fact]
    public void Options_OfTheConfiguration_AreValid() => Small.Validate();

    [Fact]
    public void Losses_OfProjections_AreTheTextbooks()
    {
        using var scope = NewDisposeScope();
        using var jepa = New();
        var z = randn([4, 5, 8], generator: new Generator(3));
        var (prediction, statistic) = jepa.Losses(z, Step.Untracked(1));
        var centers = (z[0] + z[1]) / 2;
        Assert.Equal((z - centers).pow(2).mean().item<float>(), prediction.item<float>(), 1e-6);
        // T by its definition, knot by knot, with libtorch's own gradients to compare with.
        var directions = RandomDirections.Draw(Step.Untracked(1), 8, 24);
        var expected = Textbook(z.matmul(directions), 17, 3).mean();
        Assert.Equal(expected.item<float>(), statistic.item<float>(), 1e-5);
    }

    [Theory]
    [InlineData(17, 3.0)]
    [InlineData(5, 1.0)]
    public void Statistic_OfAnySamples_HasTheGradientOfItsDefinition(int knots, double largest)
    {
        using var scope = NewDisposeScope();
        var samples = randn([2, 9, 4], generator: new Generator(5)).requires_grad_();
        var same = samples.detach().clone().requires_grad_();
        var weights = tensor([0.3f, 1, -2, 0.5f]);
        var (found, expected) = (SketchedStatistic.Of(samples, knots, largest), Textbook(same, knots, largest));
        Assert.True(found.allclose(expected, rtol: 1e-5, atol: 1e-6));
        (found * weights).sum().backward();
        (expected * weights).sum().backward();
        Assert.True(samples.grad!.allclose(same.grad!, rtol: 1e-4, atol: 1e-6));
    }

    [Fact]
    public void Statistic_OfAGaussian_IsNearItsExpectation_AndOfACollapseGrowsWithTheBatch()
    {
        using var scope = NewDisposeScope();
        var gaussian = SketchedStatistic.Of(randn([64, 4096], generator: new Generator(7))).mean().item<float>();
        Assert.Equal(1.05, gaussian, 0.05);
        Assert.Equal(0.402 * 64, SketchedStatistic.Of(zeros(64, 3)).mean().item<float>(), 0.05);
    }

    [Fact]
    public void Directions_OfAMicroBatch_AreOfLengthOneAndItsOwn()
    {
        using var scope = NewDisposeScope();
        var directions = RandomDirections.Draw(Step.Untracked(1, microBatch: 3), 16, 50);
        Assert.True(directions.norm(dim: 0).allclose(ones(50)));
        Assert.True(directions.Equals(RandomDirections.Draw(Step.Untracked(1, microBatch: 3), 16, 50)));
        Assert.False(directions.Equals(RandomDirections.Draw(Step.Untracked(1, microBatch: 4), 16, 50)));
    }

    [Fact]
    public void Gradients_OfTheCentre_ReachTheGlobalViewsOfAllViews()
    {
        using var scope = NewDisposeScope();
        using var jepa = New();
        var z = randn([4, 5, 8], generator: new Generator(3)).requires_grad_();
        jepa.Losses(z, Step.Untracked(1)).Prediction.backward();
        var same = z.detach().clone().requires_grad_();
        (same - ((same[0] + same[1]) / 2)).pow(2).mean().backward();
        Assert.True(z.grad!.allclose(same.grad!, atol: 1e-7));
    }

    [Fact]
    public void Decay_OfEveryNetwork_IsOnEveryParameter()
    {
        using var jepa = New();
        Assert.All(jepa.Networks, n => Assert.All(n.Module.named_parameters(), p => Assert.True(n.Decays!(p.name))));
    }

    [Fact]
    public void Weights_AtTheStart_AreDistributedAsPublished()
    {
        using var scope = NewDisposeScope();
        using var jepa = New();
        var encoder = jepa.Encoder.state_dict();
        Assert.InRange(encoder["cls_token"].abs().max().item<float>(), 1e-7f, 1e-5f);
        Assert.Equal(0.02, encoder["pos_embed"].std().item<float>(), 0.003);
        var patch = encoder["patch_embed.proj.weight"];
        Assert.Equal(1 / Math.Sqrt(3 * 64 * 3), patch.std().item<float>(), 0.002);
        Assert.True(patch.abs().max().item<float>() <= 1 / Math.Sqrt(3 * 64));
        Assert.True(encoder["patch_embed.proj.bias"].abs().max().item<float>() > 0);
        var projector = jepa.Projector.state_dict();
        Assert.InRange(projector["4.bias"].abs().max().item<float>(), 0.1, 1 / Math.Sqrt(40));
        Assert.True(projector["1.weight"].eq(1).all().item<bool>());
    }

    /// <summary>A run's file says what its encoder is, so that it is the same encoder at any size; Hugging Face's has no class token.</summary>
    [Fact]
    public void Weights_OfARun_AreReadAsTheSameEncoder()
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var folder = new TemporaryFolder();
        using var source = new ScenesSource(0, 8, 32);
        using var trainer = new Trainer(Small, source, CPU);
        using (var run = RunFolder.Create(folder["run"])) trainer.Begin(run, Small.ToYaml());
        using var weights = PretrainedWeights.Open(folder["run"]);
        using var encoder = PretrainedNetworks.LoadEncoder(weights);
        Assert.Equal(trainer.Objective.Encoder.Shape, encoder.Shape);
        Assert.True(weights.Report.IsClean);
        var images = randn([2, 3, 48, 48], generator: new Generator(2));
        Assert.True(trainer.Objective.Encoder.forward(images).allclose(encoder.forward(images), atol: 1e-5));
        var written = WeightsExport.ToSafetensors(weights, null, PixelNormalization.ImageNet, folder["all.safetensors"]);
        Assert.Equal(["backbone", "head", "projector"], written);
        using var again = PretrainedWeights.Open(folder["all.safetensors"]);
        Assert.Equal(encoder.Shape, again.Encoder);
        var refused = Assert.Throws<WeightsFileException>(
            () => WeightsExport.ToHuggingFace(weights, null, PixelNormalization.ImageNet, folder["hf"]));
        Assert.Contains("--to safetensors", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pictures_OfImages_ShowEveryView()
    {
        using var jepa = New();
        RgbImage[] images = [EncodedImages.Picture(32, 32), EncodedImages.Picture(32, 32)];
        var pictures = jepa.Draw(images, [0, 1], Step.Untracked(0), 2);
        Assert.Equal(2, pictures.Rows.Count);
        Assert.All(pictures.Rows, row => Assert.Equal([64, 64, 64, 32, 32], row.Select(p => p.Picture.Width)));
        Assert.Contains("2 global of 32 pixels and 2 local of 16 pixels", Assert.Single(jepa.Describe(4, 1, 0)), StringComparison.Ordinal);
        Assert.Contains("each view of 12 images is a sample", Assert.Single(jepa.Describe(4, 3, 0)), StringComparison.Ordinal);
    }

    [Fact]
    public void Measures_OfImages_AreTheLossItsPartsAndADeviation()
    {
        using var scope = NewDisposeScope();
        using var jepa = New();
        using var scaling = new PixelScaling([0.5, 0.5, 0.5], [0.25, 0.25, 0.25], CPU);
        var pixels = Enumerable.Range(0, 4).SelectMany(i => EncodedImages.Picture(32 + i, 32).Pixels.Take(3 * 32 * 32));
        var batch = new ImageBatch(4, 32, 32, [.. pixels], [0, 1, 2, 3]);
        var measures = jepa.Measure(new MonitoredImages([batch], scaling, [], Masked: 4, Seed: 0));
        Assert.Equal((0.9 * measures["prediction"]) + (0.1 * measures["statistic"]), measures["loss"], 1e-9);
        Assert.True(measures["projection_deviation"] > 0);
        Assert.Empty(jepa.Measure(new MonitoredImages([batch], scaling, [], Masked: 0, Seed: 0)));
    }

    [Theory]
    [InlineData("data.use_gaussian_blur=true", "views.blur")]
    [InlineData("views.local_size=20", "multiple of mask.patch_size")]
    [InlineData("lejepa.knots=16", "odd")]
    [InlineData("views.hue=0.7", "turns")]
    [InlineData("data.batch_size=1", "2 or more")]
    public void Option_ThatCannotBeMeant_IsRefusedWithAWayOut(string setting, string way) =>
        Assert.Contains(way, Assert.Throws<ConfigurationException>(() => Small.Apply([setting]).Validate()).Message, StringComparison.Ordinal);

    private static LeJepa New() => new(new PretrainPlan(Small).LeJepa);

    private static Tensor Textbook(Tensor x, int knots, double largest)
    {
        var total = zeros([.. x.shape[..^2], x.shape[^1]]);
        var spacing = largest / (knots - 1);
        for (var j = 0; j < knots; j++)
        {
            var t = j * spacing;
            var target = Math.Exp(-t * t / 2);
            var weight = j == 0 || j == knots - 1 ? spacing : 2 * spacing;
            total = total + (x.shape[^2] * weight * target * (((x * t).cos().mean([-2L]) - target).pow(2) + (x * t).sin().mean([-2L]).pow(2)));
        }

        return total;
    }
}
