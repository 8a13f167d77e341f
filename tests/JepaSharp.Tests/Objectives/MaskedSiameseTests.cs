using JepaSharp.Configuration;
using JepaSharp.Data;
using JepaSharp.Data.Augmentation;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using JepaSharp.Monitoring;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Tests.Data;
using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Objectives;

public sealed class MaskedSiameseTests
{
    private static readonly PretrainOptions Small = Options(new PretrainOptions
    {
        Data = new DataOptions { CropSize = 32, BatchSize = 4 },
        Mask = new MaskOptions { PatchSize = 8 },
        Meta = new MetaOptions { ModelName = "vit_tiny", EmbedDim = 32, NumHeads = 2, Depth = 2 },
    });

    /// <summary>The same with MSN, small.</summary>
    internal static PretrainOptions Options(PretrainOptions options) => options with
    {
        Meta = options.Meta with { Objective = MaskedSiamese.ShortName },
        Msn = new MaskedSiameseSection { Prototypes = 24, Hidden = 40, Projection = 16, PatchDrop = 0.3 },
        Views = new ViewSection { Global = 3, Local = 2, LocalSize = 16 },
        Optimization = options.Optimization with { ClipGrad = 3 },
    };

    [Fact]
    public void Options_OfTheConfiguration_AreValid() => Small.Validate();

    [Fact]
    public void Msn_WhereNothingIsGiven_IsThePublishedConfiguration()
    {
        var options = PretrainOptions.Parse("meta: { objective: msn, model_name: vit_small }\ndata: { batch_size: 1024, crop_size: 224 }");
        var (o, msn) = (options.Optimization, new PretrainPlan(options).MaskedSiamese);
        Assert.Equal((800, 15.0, 2e-4, 1e-3, 1e-6), (o.Epochs, o.Warmup, o.StartLr, o.PeakRate(1024), o.FinalLr));
        Assert.Equal((0.04, 0.4, 1.25, 3.0), (o.WeightDecay, o.FinalWeightDecay, o.IpeScale, o.ClipGrad));
        Assert.Equal((166, 1024, 2048, 256), (msn.Kept, msn.Prototypes, msn.Hidden, msn.Projection));
        Assert.Equal((1, 1, 10, 96), (msn.Target.Count, msn.Anchor.Count, msn.Focal!.Count, msn.Focal.Transform.CropSize));
        Assert.Equal(new PrototypeLoss(), msn.Loss);
        Assert.Equal((0.3, 1.0, 0.05, 0.3), (msn.Anchor.Transform.Crop.MinScale, msn.Anchor.Transform.Crop.MaxScale,
            msn.Focal.Transform.Crop.MinScale, msn.Focal.Transform.Crop.MaxScale));
        var changes = msn.Anchor.Transform.Augmentations;
        Assert.Equal((0.5, 0.8, 0.2, 0.5, 0.0), (changes.Flip, changes.JitterChance, changes.Gray, changes.Blur, changes.Solarize));
        Assert.Equal(new ColorJitter(0.4, 0.4, 0.4, 0.1), changes.Jitter);
        Assert.Equal((true, true), (msn.Encoder.ClassToken, msn.Encoder.LearnedPositions));
    }

    [Fact]
    public void Suggestions_ForSmallImages_HaveAPrototypeForEveryImageOfABatch()
    {
        var suggested = SuggestedOptions.ForScenes().LearnedBy(MaskedSiamese.ShortName).Options;
        var (msn, training) = (suggested.Msn, suggested.Optimization);
        Assert.Equal((suggested.Data.BatchSize, 1.25, 3.0), (msn.Prototypes, training.IpeScale, training.ClipGrad));
        Assert.Empty(suggested.FindProblems());
    }

    [Fact]
    public void Targets_Balanced_GiveEveryPrototypeItsShareOfTheBatch()
    {
        using var scope = NewDisposeScope();
        var (rows, prototypes) = (randn([40, 16], generator: new Generator(1)), randn([8, 16], generator: new Generator(2)));
        var shares = new PrototypeLoss().Targets(rows, prototypes, 1);
        Assert.True(shares.sum([1L]).allclose(ones(40), atol: 1e-5));
        Assert.True(shares.sum([0L]).allclose(full(8, 5f), rtol: 0.1));
        Assert.False(shares.requires_grad);
    }

    /// <summary>Images that go nowhere but to one prototype leave nothing for the others, which stay without: no number is none.</summary>
    [Fact]
    public void Targets_OfWhichAPrototypeHasNothing_AreFinite()
    {
        using var scope = NewDisposeScope();
        var rows = tensor(new float[] { 1, 0, 1, 0.01f }).view(2, 2);
        var shares = new PrototypeLoss { Temperature = 0.01 }.Targets(rows, tensor(new float[] { 1, 0, -1, 0 }).view(2, 2), 0.25);
        Assert.True(shares.isfinite().all().item<bool>());
        Assert.True(shares.sum([1L]).allclose(ones(2)));
    }

    [Fact]
    public void Terms_OfShares_AreTheTextbooks()
    {
        using var scope = NewDisposeScope();
        var (anchors, prototypes) = (randn([6, 5], generator: new Generator(3)), randn([4, 5], generator: new Generator(4)));
        var loss = new PrototypeLoss { LabelSmoothing = 0.1 };
        var targets = loss.Targets(randn([3, 5], generator: new Generator(5)), prototypes, 0.5);
        var terms = loss.Terms(anchors, prototypes, targets);
        var x = anchors / anchors.norm(1, keepdim: true);
        var c = prototypes / prototypes.norm(1, keepdim: true);
        var p = ((x.matmul(c.t()) / 0.1).softmax(1) * 0.9) + (0.1 / 4);
        Assert.Equal(-(targets.repeat(2, 1) * p.log()).sum(1).mean().item<float>(), terms.CrossEntropy.item<float>(), 1e-5);
        var mean = p.mean([0L]);
        Assert.Equal(Math.Log(4) + (mean * mean.log()).sum().item<float>(), terms.MeanEntropy.item<float>(), 1e-5);
        Assert.Equal(-(p * p.log()).sum(1).mean().item<float>(), terms.Entropy.item<float>(), 1e-5);
    }

    [Fact]
    public void Masks_OfABatch_AreOnesForAllOrEachItsOwn()
    {
        using var together = New();
        using var apart = new MaskedSiamese(together.Options with { MasksEachImage = true });
        int[][] Rows(MaskedSiamese siamese, long microBatch)
        {
            using var kept = siamese.Kept([7, 8, 9], 2, Step.Untracked(1, microBatch), CPU)!;
            Assert.Equal((6, 11), (kept.Images, kept.PatchesPerSet));
            return [.. kept.Patches.data<long>().ToArray().Select(p => (int)p).Chunk(11)];
        }

        Assert.All(Rows(together, 0), row => Assert.Equal(Rows(together, 0)[0], row));
        Assert.NotEqual(Rows(together, 0)[0], Rows(together, 1)[0]);
        Assert.Equal(6, Rows(apart, 0).Select(row => string.Join(' ', row)).Distinct().Count());
        Assert.Equal(Rows(apart, 3), Rows(apart, 3));
    }

    [Fact]
    public void Networks_OfTheTarget_AreAverages_AndPrototypesAreNeitherDecayedNorClipped()
    {
        using var siamese = New();
        Assert.Equal(["encoder", "head"], siamese.Networks.Where(n => n.Role == NetworkRole.Average).Select(n => n.Follows!));
        Assert.Same(siamese.Encoder, siamese.Networks.Single(n => n.Name == "target_encoder").Module);
        var prototypes = siamese.Networks.Single(n => n.Name == "prototypes");
        Assert.Equal((false, false), (prototypes.IsClipped, prototypes.Decays!("weight")));
        Assert.True(siamese.Networks.Where(n => n.Name != "prototypes").All(n => n.IsClipped && n.Decays is null));
    }

    /// <summary>Those of encoder and head are brought to the limit together; the prototypes' stay as they are.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Clipping_OfAStep_LeavesThePrototypesGradientAlone(bool isAhead)
    {
        using var scope = NewDisposeScope();
        using var step = NewStep(New(), clip: 0.01, isAhead: isAhead);
        using var batch = Batch(step.Objective, 1);
        using var pending = step.Begin([batch]);
        double Norm(bool clipped) =>
            Math.Sqrt(step.State.Trained.Where(n => n.Network.IsClipped == clipped).Sum(n => n.Parameters.SquaredGradientNorm()));
        var (before, prototypes) = (Norm(true), Norm(false));
        step.Apply(pending);
        Assert.True(before > 0.1);
        Assert.Equal(0.01, Norm(true), 1e-5);
        Assert.Equal(prototypes, Norm(false), 1e-9);
        step.Finish(pending);
    }

    [Fact]
    public void Weights_AtTheStart_AreDistributedAsPublished()
    {
        using var scope = NewDisposeScope();
        using var siamese = New();
        var encoder = siamese.AnchorEncoder.state_dict();
        Assert.Equal(Math.Sqrt(2.0 / (3 * 64)), encoder["patch_embed.proj.weight"].std().item<float>(), 0.003);
        Assert.Equal(0, encoder["patch_embed.proj.bias"].abs().max().item<float>());
        Assert.Equal(0.02, encoder["pos_embed"].std().item<float>(), 0.003);
        Assert.Equal(0.02, siamese.Head.state_dict()["4.weight"].std().item<float>(), 0.002);
        Assert.InRange(siamese.Prototypes.Weight.abs().max().item<float>(), 0.2, 0.25);
        Assert.All(siamese.Encoder.state_dict(), pair => Assert.True(pair.Value.Equals(encoder[pair.Key])));
    }

    [Fact]
    public void Measures_OfImages_AreTheLossItsTermsAndThePrototypesInUse()
    {
        using var scope = NewDisposeScope();
        using var siamese = New();
        var measures = Measured(siamese);
        Assert.Equal(measures["cross_entropy"] + measures["mean_entropy"], measures["loss"], 1e-6);
        Assert.InRange(measures["prototypes_used"], 2, 8);
        Assert.InRange(measures["largest_target"], 1.0 / 24, 1);
        Assert.Null(siamese.SignOfCollapse(measures));
        Assert.Empty(siamese.Measure(new MonitoredImages([], Scaling, [], Masked: 0, Seed: 0)));
    }

    /// <summary>Nothing keeps a run from one prototype for everything where targets are neither balanced nor their mean looked at; with both, it does
    /// not end there, whatever else so few images may come to.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_WithoutBalanceAndMeanEntropy_CollapsesAndSaysSo(bool asPublished)
    {
        using var scope = NewDisposeScope();
        // As many prototypes as images: balanced targets have no fewer for each.
        var options = Small with { Msn = Small.Msn with { Prototypes = 8, Sinkhorn = asPublished, MeanEntropy = asPublished ? 1 : 0 } };
        using var step = NewStep(new MaskedSiamese(new PretrainPlan(options).MaskedSiamese), rate: 2e-3);
        using var scaling = Scaling;
        var siamese = (MaskedSiamese)step.Objective;
        for (var turn = 0; turn < 150; turn++)
        {
            var made = ViewMaker.Of(siamese.Views, ViewPictures.Images(Eight), Eight.Indices, seed: 1, epoch: turn);
            using var batch = ViewBatch.Of(made, scaling);
            step.Run(batch);
        }

        var watch = new CollapseWatch(CollapseAdvice.For(options), sign: siamese.SignOfCollapse);
        var reading = MonitorReading.Of(Measured(siamese), rankMe: 5, lidar: 5, deviation: 1, meanCosine: 0.5);
        Assert.True(reading.Others.Count > 0);
        foreach (var at in (int[])[100, 200, 300, 350]) Assert.Empty(watch.Add(at, reading));
        var warnings = watch.Add(400, reading);
        Assert.Empty(watch.Add(450, reading));
        if (asPublished)
        {
            Assert.True(reading.Others["prototypes_used"] > 1);
            Assert.DoesNotContain(warnings, w => w.Text.Contains("the same one", StringComparison.Ordinal));
            return;
        }

        var said = Assert.Single(warnings).Text;
        Assert.Contains("the same one of its prototypes", said, StringComparison.Ordinal);
        Assert.Contains("msn.sinkhorn false; try true", said, StringComparison.Ordinal);
        Assert.Contains("msn.mean_entropy 0; try 1", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Signs_OfSharesThatAreAllEqual_AreACollapseToo()
    {
        using var siamese = New();
        var measures = new Dictionary<string, double> { ["prototypes_used"] = 5, ["entropy"] = Math.Log(24), ["largest_target"] = 0.2 };
        Assert.Contains("ln 24", siamese.SignOfCollapse(measures), StringComparison.Ordinal);
        measures["entropy"] = 2;
        Assert.Null(siamese.SignOfCollapse(measures));
        measures["largest_target"] = 1.0 / 24;
        Assert.NotNull(siamese.SignOfCollapse(measures));
    }

    [Fact]
    public void Pictures_OfImages_ShowEveryViewAndWhatIsMasked()
    {
        using var siamese = New();
        RgbImage[] images = [EncodedImages.Picture(32, 32), EncodedImages.Picture(32, 32)];
        var pictures = siamese.Draw(images, [0, 1], Step.Untracked(0), 2);
        Assert.Equal(2, pictures.Rows.Count);
        Assert.All(pictures.Rows, row => Assert.Equal([64, 64, 64, 64, 32, 32], row.Select(p => p.Picture.Width)));
        Assert.Contains("2 of 32 pixels of which 11 of 16 patches are seen and 2 of 16 pixels", Assert.Single(siamese.Describe(8, 3, 0)),
            StringComparison.Ordinal);
        Assert.Contains("8 images of a step are fewer than 24 prototypes", siamese.Describe(4, 2, 0)[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("views.global=1", "a target")]
    [InlineData("msn.patch_drop=0.99", "at least one must be left")]
    [InlineData("msn.patch_drop=1", "[0, 1)")]
    [InlineData("msn.temperature=0", "above 0")]
    [InlineData("msn.prototypes=1", "2 or more")]
    [InlineData("msn.label_smoothing=1", "[0, 1)")]
    [InlineData("msn.mean_entropy=-1", "0 or more")]
    [InlineData("views.local_size=20", "multiple of mask.patch_size")]
    [InlineData("views.global_blur=[1, 0.1]", "changed alike")]
    [InlineData("data.batch_size=1", "2 or more")]
    public void Option_ThatCannotBeMeant_IsRefusedWithAWayOut(string setting, string way) =>
        Assert.Contains(way, Assert.Throws<ConfigurationException>(() => Small.Apply([setting]).Validate()).Message, StringComparison.Ordinal);

    private static PixelScaling Scaling => new([0.5, 0.5, 0.5], [0.25, 0.25, 0.25], CPU);

    /// <summary>Stripes of eight widths and slants.</summary>
    private static ImageBatch Eight { get; } = new(
        8, 32, 32,
        [.. from image in Enumerable.Range(0, 8)
            from place in Enumerable.Range(0, 3 * 32 * 32)
            let across = (image % 4 * (place / 3 % 32)) + ((3 - (image % 4)) * (place / 96))
            select (byte)(128 + (100 * Math.Sin((across * (image < 4 ? 0.1 : 0.5)) + (place % 3 * image))))],
        [.. Enumerable.Range(0, 8)]);

    private static MaskedSiamese New() => new(new PretrainPlan(Small).MaskedSiamese);

    private static TrainingStep NewStep(MaskedSiamese siamese, double? clip = null, double rate = 1e-3, bool isAhead = false) => new(
        siamese,
        new Schedules(new ScheduleOptions
        {
            StepsPerEpoch = 100,
            Epochs = 10,
            StartLearningRate = rate,
            LearningRate = rate,
            StartMomentum = 0.9,
        }),
        new StepSettings(Optimizer: new OptimizerSettings(ClipNorm: clip), RunsAhead: isAhead));

    /// <summary>Eight images that differ, each view a little otherwise.</summary>
    private static ViewBatch Batch(Objective objective, int turn)
    {
        Tensor Of(View view)
        {
            using var scope = NewDisposeScope();
            var side = view.Transform.CropSize;
            var images = randn([8, 3, side, side], generator: new Generator(17)).repeat(view.Count, 1, 1, 1);
            var noise = randn([8L * view.Count, 3, side, side], generator: new Generator((ulong)turn + 100));
            return (images + (noise * 0.3)).DetachFromDisposeScope();
        }

        return new ViewBatch(objective.Views.ToDictionary(v => v.Name, Of), [.. Enumerable.Range(0, 8)]);
    }

    private static IReadOnlyDictionary<string, double> Measured(MaskedSiamese siamese)
    {
        using var scaling = Scaling;
        return siamese.Measure(new MonitoredImages([Eight], scaling, [], Masked: 8, Seed: 0));
    }
}
