using JepaSharp.Configuration;
using JepaSharp.Data;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Runtime;
using JepaSharp.Training;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Objectives;

/// <summary>Distillation keeps the contract.</summary>
public sealed class DistillationContractTests : ObjectiveContract<Distillation>
{
    private readonly TemporaryFolder _teacher = new();

    protected override PretrainOptions Options => DistillationTests.Options(Tiny, Teachers.In(_teacher));

    protected override Distillation New() => new(new PretrainPlan(Options).Distillation());
}

/// <summary>And so it does with class tokens, from patches of another size.</summary>
public sealed class ClassTokenDistillationContractTests : ObjectiveContract<Distillation>
{
    private readonly TemporaryFolder _teacher = new();

    protected override PretrainOptions Options
    {
        get
        {
            var options = DistillationTests.Options(Tiny, Teachers.In(_teacher, Teachers.Shape with { ClassToken = true, PatchSize = 4 }));
            return options with { Distill = options.Distill with { ClassToken = true } };
        }
    }

    protected override Distillation New() => new(new PretrainPlan(Options).Distillation());
}

public sealed class DistillationTests : IDisposable
{
    private static readonly PretrainOptions Small = new()
    {
        Data = new DataOptions { CropSize = 32, BatchSize = 8, SceneCount = 24, SceneSize = 32, NumWorkers = 2 },
        Mask = new MaskOptions { PatchSize = 8 },
        Meta = new MetaOptions { ModelName = "vit_tiny", EmbedDim = 32, NumHeads = 2, Depth = 2 },
        Optimization = new OptimizationOptions { Epochs = 2, Warmup = 1 },
        Logging = new LoggingOptions { CheckpointSteps = 1 },
    };

    private readonly TemporaryFolder _folder = new();

    /// <summary>The same with a teacher.</summary>
    internal static PretrainOptions Options(PretrainOptions options, string teacher) => options with
    {
        Meta = options.Meta with { Objective = Distillation.ShortName },
        Distill = new DistillationSection { Teacher = teacher, TeacherHeads = 2 },
    };

    public void Dispose() => _folder.Dispose();

    /// <summary>On images that it did not learn from.</summary>
    [Fact]
    public void Student_AfterAFewSteps_IsNearerToItsTeacherOnOtherImages()
    {
        using var scope = NewDisposeScope();
        using var step = new TrainingStep(
            New(), new Schedules(new ScheduleOptions { StepsPerEpoch = 100, Epochs = 10, StartLearningRate = 2e-3, LearningRate = 2e-3 }));
        var student = (Distillation)step.Objective;
        var before = Cosine(student);
        double first = 0, last = 0;
        for (var turn = 0; turn < 60; turn++)
        {
            using var batch = new ViewBatch(
                new Dictionary<string, Tensor> { ["image"] = Images(turn).DetachFromDisposeScope() }, [.. Enumerable.Range(0, 16)]);
            last = step.Run(batch).Loss;
            if (turn == 0) first = last;
        }

        var after = Cosine(student);
        Assert.True(before < 0.1 && after > before + 0.3 && last < first, $"cosine {before} before, {after} after; loss {first}, {last}");

        static double Cosine(Distillation student)
        {
            using var untracked = no_grad();
            var images = Images(turn: 1000);
            var (said, wanted) = (student.Predictions(images).Patches, student.Targets(images).Patches);
            return nn.functional.cosine_similarity(said, wanted, dim: -1).mean().item<float>();
        }
    }

    [Fact]
    public void Teacher_OfARun_IsNeverChanged_AndInNoCheckpoint()
    {
        using var scope = NewDisposeScope();
        var options = Options(Small, Teachers.In(_folder));
        using var source = new ScenesSource(0, options.Data.SceneCount, options.Data.SceneSize);
        using var trainer = new Trainer(options, source, CPU);
        var before = WeightsFingerprint.Of(((Distillation)trainer.Objective).Teacher);
        using (var run = RunFolder.Create(_folder["run"]))
            trainer.Begin(run, options.ToYaml());
        using var batch = new ViewBatch(
            new Dictionary<string, Tensor> { ["image"] = Images(0).DetachFromDisposeScope() }, [.. Enumerable.Range(0, 16)]);
        for (var i = 0; i < 3; i++) trainer.Step.Run(batch);
        Assert.Equal(before, WeightsFingerprint.Of(((Distillation)trainer.Objective).Teacher));
        using var weights = PretrainedWeights.Open(_folder["run"]);
        Assert.Equal(["encoder", "head"], weights.Present);
        Assert.Equal("distill", weights.Objective);
        Assert.Equal(trainer.Objective.Encoder.Shape, weights.Encoder);
        Assert.True(weights.Report.IsClean, weights.Report.ToString());
    }

    [Fact]
    public void Resume_WithAnotherTeacher_IsRefused()
    {
        var options = Options(Small, Teachers.In(_folder));
        using var source = new ScenesSource(0, options.Data.SceneCount, options.Data.SceneSize);
        using (var trainer = new Trainer(options, source, CPU))
        using (var run = RunFolder.Create(_folder["run"]))
            trainer.Begin(run, options.ToYaml());
        Teachers.Write(options.Distill.Teacher!, Teachers.Shape, seed: 2);
        using var other = new Trainer(options, source, CPU);
        using var folder = RunFolder.Resume(_folder["run"]);
        var refused = Assert.Throws<JepaException>(() => other.Resume(folder));
        Assert.Contains("The teacher is not the one", refused.Message, StringComparison.Ordinal);
        Teachers.Write(options.Distill.Teacher!, Teachers.Shape, seed: 1);
        using var same = new Trainer(options, source, CPU);
        same.Resume(folder);
    }

    /// <summary>A teacher sees pixels as in its own training: what it says is what it says of images that are normalised for it.</summary>
    [Fact]
    public void Targets_OfATeacherThatNormalisesOtherwise_AreThoseOfItsOwnPixels()
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var plan = New();
        Assert.Equal([0.5, 0.5, 0.5], plan.Options.TeacherPixels.Mean);
        var pixels = rand([2, 3, 32, 32], generator: new Generator(3));
        Tensor By(ChannelScale scale)
        {
            Tensor Of(IReadOnlyList<double> values) => tensor([.. values.Select(v => (float)v)], [1, 3, 1, 1]);
            return (pixels - Of(scale.Mean)) / Of(scale.Deviation);
        }

        var said = plan.Teacher.forward(By(plan.Options.TeacherPixels));
        var expected = nn.functional.layer_norm(said, [said.shape[^1]]);
        Assert.True(plan.Targets(By(plan.Options.Pixels)).Patches.allclose(expected, atol: 1e-4));
    }

    /// <summary>Of every two rows and columns of a finer grid the mean; a coarser one, and larger crops, are brought to the student's, too.</summary>
    [Theory]
    [InlineData(4, null, 8)]
    [InlineData(16, null, 2)]
    [InlineData(8, 48, 6)]
    public void Targets_OfAnotherGrid_AreOnTheStudents(int patch, int? size, int side)
    {
        using var scope = NewDisposeScope();
        var options = Options(Small, Teachers.In(_folder, Teachers.Shape with { PatchSize = patch }));
        using var objective = new Distillation(
            new PretrainPlan(options with { Distill = options.Distill with { TeacherSize = size } }).Distillation());
        var images = Images(0);
        var (patches, classes) = objective.Targets(images);
        Assert.Equal([16, 16, 48], patches.shape);
        Assert.Null(classes);
        Assert.True(patches.mean([-1L]).abs().max().item<float>() < 1e-4);
        Assert.Contains($"{side}x{side} patches, brought to the student's 4x4", Assert.Single(objective.Describe(8, 1, 0)), StringComparison.Ordinal);
        if (patch != 4) return;
        var said = objective.Teacher.forward(objective.ForTeacher(images)).view(16, 4, 2, 4, 2, 48).mean([2, 4]).view(16, 16, 48);
        Assert.True(patches.allclose(nn.functional.layer_norm(said, [48]), atol: 1e-4));
    }

    [Theory]
    [InlineData(true, 8, "distill.class_token")]
    [InlineData(false, 12, "distill.teacher_size 36")]
    public void Teacher_ThatCannotTeach_IsRefusedWithAWayOut(bool classToken, int patch, string way)
    {
        var options = Options(Small, Teachers.In(_folder, Teachers.Shape with { PatchSize = patch, ImageHeight = 48, ImageWidth = 48 }));
        options = options with { Distill = options.Distill with { ClassToken = classToken } };
        Assert.Contains(way, Assert.Throws<JepaException>(() => new PretrainPlan(options).Distillation()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_WithoutATeacher_AreRefused()
    {
        var options = Options(Small, "x") with { Distill = new DistillationSection() };
        Assert.Contains("--teacher PATH", Assert.Throws<ConfigurationException>(options.Validate).Message, StringComparison.Ordinal);
        var missing = Options(Small, _folder["nothing.safetensors"]);
        Assert.Contains("nothing there", Assert.Throws<WeightsFileException>(() => new PretrainPlan(missing).Distillation()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Measures_OfImages_StandBesideTheBestConstant()
    {
        using var scope = NewDisposeScope();
        using var objective = New();
        using var scaling = new PixelScaling([0.5, 0.5, 0.5], [0.25, 0.25, 0.25], CPU);
        var bytes = rand([4 * 32 * 32 * 3], generator: new Generator(5)).mul(255).to(uint8).data<byte>().ToArray();
        var measures = objective.Measure(new MonitoredImages([new ImageBatch(4, 32, 32, bytes, [0, 1, 2, 3])], scaling, [], Masked: 4, Seed: 0));
        Assert.Equal(["constant_loss", "cosine", "loss"], measures.Keys.Order());
        Assert.True(measures["loss"] > measures["constant_loss"]);
        Assert.Empty(objective.Measure(new MonitoredImages([], scaling, [], Masked: 0, Seed: 0)));
    }

    private Distillation New() => new(new PretrainPlan(Options(Small, Teachers.In(_folder))).Distillation());

    /// <summary>Sixteen images that vary smoothly, each otherwise. [16, 3, 32, 32].</summary>
    private static Tensor Images(int turn)
    {
        using var scope = NewDisposeScope();
        var coarse = randn([16, 3, 4, 4], generator: new Generator((ulong)turn + 1));
        return nn.functional.interpolate(coarse, size: [32, 32], mode: InterpolationMode.Bilinear, align_corners: false).MoveToOuterDisposeScope();
    }
}

/// <summary>Small encoders as files.</summary>
internal static class Teachers
{
    public static VisionTransformerShape Shape { get; } = new()
    {
        ImageHeight = 32,
        ImageWidth = 32,
        PatchSize = 8,
        Width = 48,
        Depth = 2,
        Heads = 2,
        MlpWidth = 96,
    };

    /// <summary>A teacher in a folder, the same every time.</summary>
    public static string In(TemporaryFolder folder, VisionTransformerShape? shape = null)
    {
        var path = folder["teacher.safetensors"];
        if (!File.Exists(path)) Write(path, shape ?? Shape, seed: 1);
        return path;
    }

    public static void Write(string path, VisionTransformerShape shape, ulong seed)
    {
        using var encoder = new VisionTransformer(shape);
        Initialization.Initialize(encoder, seed, 0);
        // Weights as large as those of an encoder that has learned: what it says depends on what it sees.
        using (no_grad())
            foreach (var (name, parameter) in encoder.named_parameters())
                if (parameter.dim() > 1) _ = parameter.mul_(6);
        var texts = WeightsMetadata.Describe(shape, null, new PixelNormalization([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]), null, null);
        SafetensorsWriter.Write(path, encoder.state_dict().Select(w => KeyValuePair.Create($"target_encoder.{w.Key}", w.Value)), texts);
    }
}
