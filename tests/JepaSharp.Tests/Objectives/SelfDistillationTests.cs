using JepaSharp.Configuration;
using JepaSharp.Data;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Monitoring;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Tests.Data;
using JepaSharp.Training;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Objectives;

public sealed class SelfDistillationTests
{
    private static readonly PretrainOptions Base = new()
    {
        Data = new DataOptions { CropSize = 32, BatchSize = 4, SceneCount = 32, SceneSize = 32 },
        Mask = new MaskOptions { PatchSize = 8 },
        Meta = new MetaOptions { ModelName = "vit_tiny", EmbedDim = 32, NumHeads = 2, Depth = 2 },
        Optimization = new OptimizationOptions { Epochs = 10, Warmup = 1, StartLr = 0, FinalLr = 0, LrImages = 256 },
    };

    /// <summary>The same with DINO or iBOT, small.</summary>
    internal static PretrainOptions Small(PretrainOptions options, string objective) => options with
    {
        Meta = options.Meta with { Objective = objective },
        Dino = new DinoSection { OutDim = 30, HeadHidden = 24, HeadBottleneck = 12, FreezeLastLayer = 1, WarmupTeacherTempEpochs = 2 },
        Ibot = new IbotSection
        {
            OutDim = 30,
            PatchOutDim = 30,
            HeadHidden = 24,
            HeadBottleneck = 12,
            FreezeLastLayer = 1,
            WarmupTeacherTempEpochs = 2,
            PredRatio = new(0.3, 0.4),
        },
        Views = new ViewSection { Local = 2, LocalSize = 16, GlobalBlur = new ChancePair(1, 0.1), GlobalSolarize = new ChancePair(0, 0.2) },
    };

    [Theory]
    [InlineData("dino")]
    [InlineData("ibot")]
    public void Options_OfTheConfiguration_AreValid(string objective) => Small(Base, objective).Validate();

    /// <summary>The loss by its definition, term by term, at sizes that take it in one piece and in several.</summary>
    [Theory]
    [InlineData(2, 3)]
    [InlineData(3, 0)]
    [InlineData(1, 2)]
    public void CrossViewLoss_OfAnyViews_IsTheTextbooksWithItsGradients(int large, int small)
    {
        const int images = 5, outputs = 11, narrow = 4;
        using var scope = NewDisposeScope();
        var student = randn([(large + small) * images, narrow], generator: new Generator(1)).requires_grad_();
        var rows = randn([outputs, narrow], generator: new Generator(2)).requires_grad_();
        var (said, weight, center) = (
            randn([large * images, narrow], generator: new Generator(3)), randn([outputs, narrow], generator: new Generator(4)),
            randn([1, outputs], generator: new Generator(5)));
        var found = CrossViewLoss.Of(
            student, rows, 0.1, new TeacherOutputs(said, weight, center, 0.3, ScalarType.Float32), images, large, ScalarType.Float32);
        found.backward();
        var (gradient, ofRows) = (student.grad!.clone(), rows.grad!.clone());
        student.grad!.zero_();
        rows.grad!.zero_();
        var expected = Textbook(student, rows, said.matmul(weight.t()), center, images, large);
        expected.backward();
        Assert.Equal(expected.item<float>(), found.item<float>(), 1e-4);
        Assert.True(gradient.allclose(student.grad!, rtol: 1e-4, atol: 1e-5));
        Assert.True(ofRows.allclose(rows.grad!, rtol: 1e-4, atol: 1e-5));
        var mean = new TeacherOutputs(said, weight, center, 0.3, ScalarType.Float32).Mean();
        Assert.True(mean.allclose(said.matmul(weight.t()).mean([0L]), atol: 1e-5));

        static Tensor Textbook(Tensor student, Tensor rows, Tensor teacher, Tensor center, int images, int large)
        {
            var views = (int)student.shape[0] / images;
            Tensor total = 0;
            var terms = 0;
            for (var q = 0; q < large; q++)
            {
                var p = ((teacher.narrow(0, q * images, images) - center) / 0.3).softmax(-1);
                for (var v = 0; v < views; v++)
                {
                    if (v == q) continue;
                    var logits = student.narrow(0, v * images, images).matmul(rows.t()) / 0.1;
                    total = total + (-(p * logits.log_softmax(-1)).sum(-1).mean());
                    terms++;
                }
            }

            return total / terms;
        }
    }

    /// <summary>Many outputs are taken a few rows at a time, with the same result.</summary>
    [Fact]
    public void Entropy_InPieces_IsThatOfTheWhole()
    {
        using var scope = NewDisposeScope();
        var features = randn([6, 3], generator: new Generator(1)).requires_grad_();
        var rows = randn([7, 3], generator: new Generator(2));
        var targets = randn([6, 7], generator: new Generator(3)).softmax(-1);
        var weights = tensor([0.1f, 0.2f, 0, 0.4f, 0.5f, 0.6f]);
        var whole = new SharpenedCrossEntropy(features, rows, 0.2, ScalarType.Float32);
        whole.Add(0, targets, 1, weights);
        var pieces = new SharpenedCrossEntropy(features, rows, 0.2, ScalarType.Float32);
        foreach (var (first, count) in ((long, long)[])[(0, 4), (4, 1), (5, 1)])
            pieces.Add(first, targets.narrow(0, first, count), 1, weights.narrow(0, first, count));
        whole.Total().backward();
        var gradient = features.grad!.clone();
        features.grad!.zero_();
        pieces.Total().backward();
        Assert.Equal(whole.Total().item<float>(), pieces.Total().item<float>(), 1e-6);
        Assert.True(gradient.allclose(features.grad!, atol: 1e-6));
        Assert.Equal(256, SharpenedCrossEntropy.RowsOfAPiece(65536));
    }

    [Fact]
    public void Temperature_OfEpochs_WaitsThenRisesWithBothEndsThenStays()
    {
        var schedule = new TemperatureSchedule(0.04, 0.07, WarmupEpochs: 4, Wait: 2);
        double[] found = [.. Enumerable.Range(0, 8).Select(schedule.At)];
        Assert.All(found.Zip([0.04, 0.04, 0.04, 0.05, 0.06, 0.07, 0.07, 0.07]), p => Assert.Equal(p.Second, p.First, 1e-12));
        Assert.Equal(0.07, new TemperatureSchedule(0.04, 0.07).At(0));
    }

    [Fact]
    public void Weights_AtTheStart_AreDistributedAsPublished()
    {
        using var scope = NewDisposeScope();
        using var dino = new Dino(new PretrainPlan(Small(Base, "dino")).Dino);
        var student = dino.Student.state_dict();
        Assert.Equal(0.02, student["pos_embed"].std().item<float>(), 0.003);
        Assert.InRange(student["cls_token"].std().item<float>(), 0.01, 0.03);
        Assert.True(student["patch_embed.proj.weight"].abs().max().item<float>() <= 1 / Math.Sqrt(3 * 64));
        Assert.True(student["patch_embed.proj.bias"].abs().max().item<float>() > 0);
        var head = dino.StudentHead.state_dict();
        Assert.True(head["last_layer.weight_g"].eq(1).all().item<bool>());
        Assert.InRange(head["last_layer.weight_v"].abs().max().item<float>(), 0.2, 1 / Math.Sqrt(12));
        Assert.Equal(0, head["mlp.4.bias"].abs().max().item<float>());
        foreach (var (name, value) in dino.Encoder.state_dict()) Assert.True(value.Equals(student[name]));
        foreach (var (name, value) in dino.TeacherHead.state_dict()) Assert.True(value.Equals(head[name]));
        Assert.True(dino.StudentHead.Rows().norm(dim: 1).allclose(ones(30), atol: 1e-6));
    }

    /// <summary>A length that is not learned is 0 of every gradient, stays where it is, and the teacher's follows it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Lengths_OfTheLastLayer_AreLearnedWhereTheyAreSaidToBe(bool isAhead)
    {
        using var scope = NewDisposeScope();
        var options = Small(Base, "dino").Apply(["dino.freeze_last_layer=0", isAhead ? "dino.norm_last_layer=false" : "dino.norm_last_layer=true"]);
        using var step = NewStep(options, isAhead);
        using var batch = Views(step.Objective);
        var before = Lengths("student_head").clone();
        FlatParameters.ViewOf(step.State["teacher_head"].Parameters.Values, Place("teacher_head"), [30, 1]).fill_(2);
        for (var i = 0; i < 3; i++) step.Run(batch);
        Assert.Equal(!isAhead, before.Equals(Lengths("student_head")));
        Assert.True(Lengths("teacher_head").max().item<float>() < 2);

        Tensor Lengths(string network) => FlatParameters.ViewOf(step.State[network].Parameters.Values, Place(network), [30, 1]);
        long Place(string network) => step.State[network].Parameters.Layout.Single(p => p.Name == "last_layer.weight_g").Start;
    }

    /// <summary>Each parameter by itself, and none beyond the limit, on a host that waits and on one that does not.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Clipping_OfEachParameter_LeavesSmallGradientsAsTheyAre(bool isAhead)
    {
        const double limit = 2;
        using var scope = NewDisposeScope();
        using var step = NewStep(Small(Base, "dino"), isAhead, limit);
        using var batch = Views(step.Objective);
        using var pending = step.Begin([batch]);
        var student = step.State["student"].Parameters;
        double[] before = [.. Norms()];
        step.Apply(pending);
        double[] after = [.. Norms()];
        Assert.Contains(before, norm => norm > limit);
        Assert.Contains(before, norm => norm < limit);
        foreach (var (was, norm) in before.Zip(after)) Assert.Equal(was * Math.Min(1, limit / (was + 1e-6)), norm, 1e-5);

        IEnumerable<double> Norms() =>
            student.Layout.Select(p => (double)FlatParameters.ViewOf(student.Gradients!, p.Start, p.Shape).norm().item<float>());
    }

    /// <summary>A run begins with its own mask token, whose place the teacher never sees.</summary>
    [Fact]
    public void MaskToken_InThePlaceOfPatches_ChangesWhatIsSaidOfThemAlone_BeforePositions()
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var ibot = new Ibot(new PretrainPlan(Small(Base, "ibot")).Ibot);
        Assert.Equal(0, ibot.Mask.Value.abs().max().item<float>());
        var images = randn([2, 3, 32, 32], generator: new Generator(1));
        var nothing = zeros([2, 16], ScalarType.Bool);
        Assert.True(ibot.Student.EncodeMasked(images, nothing, ibot.Mask.Value).allclose(ibot.Student.forward(images), atol: 1e-6));
        // All hidden: nothing of the image is left.
        var all = ones([2, 16], ScalarType.Bool);
        var hidden = ibot.Student.EncodeMasked(images, all, ibot.Mask.Value);
        Assert.True(hidden[0].allclose(hidden[1], atol: 1e-6));
        Assert.False(hidden[0, 1].allclose(hidden[0, 2], atol: 1e-6)); // positions differ
        Assert.DoesNotContain("masked_embed", ibot.Encoder.state_dict().Keys);
    }

    /// <summary>Another loss with branches left out, the same for the same micro-batch, and what the teacher says is what it was.</summary>
    [Theory]
    [InlineData("dino")]
    [InlineData("ibot")]
    public void Depth_OfTheStudentAlone_ChangesItsLoss(string objective)
    {
        using var scope = NewDisposeScope();
        using var whole = KnownObjectives.Create(new PretrainPlan(Small(Base, objective).Apply([$"{objective}.drop_path=0"])));
        using var dropped = KnownObjectives.Create(new PretrainPlan(Small(Base, objective).Apply([$"{objective}.drop_path=0.9"])));
        using var batch = Views(whole);
        float Of(Objective o, long microBatch) => o.Loss(batch, Step.Untracked(0, microBatch)).item<float>();
        Assert.NotEqual(Of(whole, 3), Of(dropped, 3));
        Assert.Equal(Of(dropped, 3), Of(dropped, 3));
        Assert.NotEqual(Of(dropped, 3), Of(dropped, 4));
        using var untracked = no_grad();
        Assert.Equal(Of(whole, 3), Of(dropped, 3), 1e-6);
    }

    [Fact]
    public void HiddenViews_OfMasks_WeighEachViewAlike_ThoseWithoutAsNothing()
    {
        using var views = HiddenViews.Of([[true, false, true], [false, false, false], [false, true, false]], CPU);
        Assert.Equal([0L, 2, 7], views.Rows.data<long>().ToArray());
        Assert.All(views.Weights.data<float>().ToArray().Zip([1f / 6, 1f / 6, 1f / 3]), p => Assert.Equal(p.Second, p.First, 1e-6));
        using var none = HiddenViews.Of([[false, false], [false, false]], CPU);
        Assert.Equal(0, none.Rows.numel());
    }

    [Fact]
    public void Masks_OfABatch_AreTheImagesAndViewsOwn_AndNoneBeforeTheirEpoch()
    {
        var options = new PretrainPlan(Small(Base, "ibot")).Ibot with { Hidden = new HiddenPatches([0.5], [0.1], HiddenShape.Rand) };
        var step = Step.Untracked(1, microBatch: 5);
        var masks = HiddenViews.Draw(options, [3, 8], step);
        Assert.Equal(4, masks.Count);
        Assert.Equal(4, masks.Select(m => string.Concat(m)).Distinct().Count());
        Assert.Equal(masks[1], HiddenViews.Draw(options, [8], step)[0]);
        Assert.All(HiddenViews.Draw(options with { FirstMaskedEpoch = 1 }, [3, 8], step), m => Assert.DoesNotContain(true, m));
    }

    [Theory]
    [InlineData("dino", "dino.freeze_last_layer=10", "would never learn")]
    [InlineData("dino", "dino.teacher_temp=0", "above 0")]
    [InlineData("dino", "dino.out_dim=0", "1 or more")]
    [InlineData("dino", "dino.drop_path=1", "0 to below 1")]
    [InlineData("dino", "dino.center_momentum=1.1", "a share")]
    [InlineData("dino", "data.use_gaussian_blur=true", "views.blur")]
    [InlineData("ibot", "ibot.shared_head=false", "no published model is trained so")]
    [InlineData("ibot", "ibot.shared_head_teacher=false", "true, as ibot.shared_head")]
    [InlineData("ibot", "ibot.patch_out_dim=31", "share the last layer")]
    [InlineData("ibot", "ibot.pred_ratio_var=[0, 0.7]", "stay in [0, 1]")]
    [InlineData("ibot", "ibot.pred_start_epoch=10", "below optimization.epochs")]
    [InlineData("ibot", "ibot.warmup_teacher_temp_epochs=11", "0 to optimization.epochs")]
    public void Option_ThatCannotBeMeant_IsRefusedWithAWayOut(string objective, string setting, string way) => Assert.Contains(
        way, Assert.Throws<ConfigurationException>(() => Small(Base, objective).Apply([setting]).Validate()).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("dino", 400, 0.25, 0.25, 10, 65536)]
    [InlineData("ibot", 400, 0.32, 0.32, 10, 8192)]
    public void Defaults_OfAnObjective_AreThePublishedBase16(
        string objective, int epochs, double large, double small, int views, int outputs)
    {
        var options = PretrainOptions.Parse($"meta: {{ objective: {objective} }}");
        Assert.Equal((epochs, large, small, views),
            (options.Optimization.Epochs, options.Data.CropScale.Low, options.Views.LocalScale.High, options.Views.Local));
        Assert.Equal((0.3, 7.5e-4, 256, RateSchedule.Tabled),
            (options.Optimization.ClipGrad, options.Optimization.Lr, options.Optimization.LrImages, options.Optimization.Schedule));
        var plan = new PretrainPlan(options);
        var head = objective == "dino" ? plan.Dino.Head : plan.Ibot.Head;
        Assert.Equal(new ProjectionHeadShape(768, 2048, 256, outputs), head);
        Assert.Equal(PositionResizing.BicubicOffset, plan.Encoder.Resizing);
        var globals = objective == "dino" ? plan.Dino.Global : plan.Ibot.Global;
        Assert.Equal([(1.0, 0.0), (0.1, 0.2)], globals.Select(g => (g.Transform.Augmentations.Blur, g.Transform.Augmentations.Solarize)));
    }

    [Theory]
    [InlineData("dino")]
    [InlineData("ibot")]
    public void Pictures_OfImages_ShowEveryView(string objective)
    {
        using var created = KnownObjectives.Create(new PretrainPlan(Small(Base, objective)));
        RgbImage[] images = [EncodedImages.Picture(32, 32), EncodedImages.Picture(32, 32)];
        var pictures = created.Draw(images, [0, 1], Step.Untracked(0), 2)!;
        int[] widths = objective == "dino" ? [64, 64, 64, 32, 32] : [64, 64, 64, 64, 64, 32, 32];
        Assert.All(pictures.Rows, row => Assert.Equal(widths, row.Select(p => p.Picture.Width)));
        Assert.Contains("2 local of 16 pixels", Assert.Single(created.Describe(4, 1, 0)), StringComparison.Ordinal);
    }

    /// <summary>Without a centre one output wins; with a teacher that is not sharp all are alike. Both are measured, and said in words.</summary>
    [Theory]
    [InlineData("dino", "dino.center_momentum=1", "the same few outputs win for every view")]
    [InlineData("dino", "dino.warmup_teacher_temp=9,dino.teacher_temp=9", "all outputs alike")]
    [InlineData("ibot", "ibot.center_momentum=1,ibot.center_momentum2=1", "the same few outputs win for every view")]
    public void Run_MadeToCollapse_IsMeasuredAndSaidInWords(string objective, string settings, string words)
    {
        using var scope = NewDisposeScope();
        var stop = TestContext.Current.CancellationToken;
        var options = Small(Base, objective).Apply(
            [$"{objective}.freeze_last_layer=0", "optimization.lr=0.05", "optimization.ema=[0.9, 1]", .. settings.Split(',')]);
        using var step = NewStep(options, isAhead: false);
        using var source = new ScenesSource(0, options.Data.SceneCount, options.Data.SceneSize);
        using var scaling = new PretrainPlan(options).Scaling(CPU);
        var monitor = new RunMonitor(Monitoring.TinyRun.Sample(source, options), scaling);
        var watch = new CollapseWatch(CollapseAdvice.For(options), sign: step.Objective.SignOfCollapse);
        var before = OutputSigns.Of(monitor.Read(step.Objective, cancellation: stop).Others)!;
        using var batch = Views(step.Objective);
        List<CollapseWarning> warnings = [];
        for (var i = 1; i <= 360; i++)
        {
            step.Run(batch);
            if (i >= 300 && i % 20 == 0) warnings.AddRange(watch.Add(i, monitor.Read(step.Objective, cancellation: stop)));
        }

        var after = OutputSigns.Of(monitor.Read(step.Objective, cancellation: stop).Others)!;
        Assert.Equal(Math.Log(30), after.Uniform, 1e-9);
        Assert.True(after.IsCollapsed, $"{before} became {after}");
        Assert.Contains(warnings, w => w.Text.Contains(words, StringComparison.Ordinal));
    }

    /// <summary>A run's file holds student, teacher and heads; the teacher is what is used, and at any size the same encoder.</summary>
    [Theory]
    [InlineData("dino")]
    [InlineData("ibot")]
    public void Weights_OfARun_AreReadAsTheTeacher(string objective)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var folder = new TemporaryFolder();
        var options = Small(Base, objective);
        using var source = new ScenesSource(0, 8, 32);
        using var trainer = new Trainer(options, source, CPU);
        using (var run = RunFolder.Create(folder["run"])) trainer.Begin(run, options.ToYaml());
        using var weights = PretrainedWeights.Open(folder["run"]);
        Assert.Equal("teacher", weights.Evaluated);
        Assert.True(weights.Report.IsClean);
        using var encoder = PretrainedNetworks.LoadEncoder(weights);
        Assert.Equal(trainer.Objective.Encoder.Shape, encoder.Shape);
        var images = randn([2, 3, 48, 48], generator: new Generator(2));
        Assert.True(trainer.Objective.Encoder.forward(images).allclose(encoder.forward(images), atol: 1e-5));
        var written = WeightsExport.ToSafetensors(weights, null, PixelNormalization.ImageNet, folder["all.safetensors"]);
        Assert.Equal(trainer.Objective.Networks.Select(n => n.Name), written);
    }

    private static TrainingStep NewStep(PretrainOptions options, bool isAhead, double? clip = null) => new(
        KnownObjectives.Create(new PretrainPlan(options)), new PretrainPlan(options).Schedules(100),
        new StepSettings(Optimizer: new OptimizerSettings(ClipNorm: clip), RunsAhead: isAhead));

    private static ViewBatch Views(Objective objective)
    {
        Tensor Of(long crops, long side) => randn([crops * 4, 3, side, side], generator: new Generator((ulong)(crops + side)));
        return new ViewBatch(
            objective.Views.ToDictionary(v => v.Name, v => Of(v.Count, v.Transform.CropSize).DetachFromDisposeScope()), [0, 1, 2, 3]);
    }
}
