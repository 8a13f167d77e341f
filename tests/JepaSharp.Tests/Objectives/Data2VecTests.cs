using JepaSharp.Configuration;
using JepaSharp.Data.Augmentation;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Objectives;

/// <summary>What data2vec's parts are, beside the recordings.</summary>
public sealed class Data2VecTests
{
    /// <summary>With a momentum of 0.9999 the published average lowers 136 of the 732 rows of a grid of 14 x 14, 7,462 places, in the first step, and
    /// none later; with 0.9998 none.</summary>
    [Theory]
    [InlineData(0.9999, 136, 7462)]
    [InlineData(0.9998, 0, 0)]
    public void Places_ThatAreAveraged_AreThoseOfThePublishedLargeModel(double momentum, int rows, int places)
    {
        using var scope = NewDisposeScope();
        var shape = new VisionTransformerShape
        {
            ImageHeight = 56,
            ImageWidth = 56,
            PatchSize = 4,
            Width = 8,
            Depth = 1,
            Heads = 1,
            MlpWidth = 8,
            ClassToken = true,
            MaskToken = true,
            AbsolutePositions = false,
            RelativePositions = true,
            KeyBias = false,
            LayerScale = true,
        };
        using var objective = new Data2Vec(new Data2VecOptions { Encoder = shape, AveragesPlaces = true, Momentum = _ => momentum });
        using var step = new TrainingStep(objective, new PretrainPlan(Options("")).Schedules(2));
        var own = objective.Student.Relative!.Places.data<long>().ToArray();
        for (var i = 0; i < 3; i++)
        {
            using var batch = new ViewBatch(new Dictionary<string, Tensor> { ["image"] = rand(1, 3, 56, 56).DetachFromDisposeScope() }, [i]);
            _ = step.Run(batch);
            var now = objective.Teacher.Relative!.Places.data<long>().ToArray();
            Assert.Equal(own, objective.Student.Relative!.Places.data<long>().ToArray());
            var moved = own.Zip(now).Where(pair => pair.First != pair.Second).ToList();
            Assert.All(moved, pair => Assert.Equal(pair.First - 1, pair.Second));
            Assert.Equal((rows, places), (moved.Select(pair => pair.First).Distinct().Count(), moved.Count));
        }
    }

    [Fact]
    public void Loss_OfNoMaskedPatch_IsZero()
    {
        using var scope = NewDisposeScope();
        var plan = new PretrainPlan(Options("variance: 0.3"));
        using var objective = new Data2Vec(plan.Data2Vec with { Draw = (_, _, _) => new bool[16] });
        using var step = new TrainingStep(objective, plan.Schedules(2));
        using var batch = new ViewBatch(new Dictionary<string, Tensor> { ["image"] = rand(2, 3, 32, 32).DetachFromDisposeScope() }, [0, 1]);
        var result = step.Run(batch);
        Assert.Equal((0, 0), (result.Loss, result.GradientNorm));
    }

    [Fact]
    public void Loss_OfOutputsAndTargets_IsTheTextbooks()
    {
        using var scope = NewDisposeScope();
        using var objective = new Data2Vec(new PretrainPlan(Options("beta: 0.5, variance: 2")).Data2Vec with { LossScale = 3 });
        Tensor outputs = tensor(new[] { 0f, 0.1f, 4, 0.1f }, [2, 2]), targets = tensor(new[] { 0.3f, 0.1f, 2, 0.6f }, [2, 2]);
        // |e| = 0.3, 0, 2, 0.5: halves of squares over β below β, the rest linear.
        var distance = ((0.5 * 0.09 / 0.5) + 0 + (2 - 0.25) + (0.5 - 0.25)) / 4;
        // Deviations over the two rows: 4 / √2, and 0.
        var missing = (0 + (0.5 - Math.Sqrt(1e-6))) / 2;
        Assert.Equal(3 * (distance + (2 * missing)), objective.Distance(outputs, targets).item<float>(), 1e-5);
    }

    [Fact]
    public void Momentum_ThatRises_StaysAtItsEnd()
    {
        var rising = Data2VecOptions.Rising(0.9, 0.98, 5);
        Assert.Equal([0.9, 0.916, 0.932, 0.948, 0.964, 0.98, 0.98], Enumerable.Range(1, 7).Select(step => Math.Round(rising(step), 12)));
        Assert.Equal(0.98, Data2VecOptions.Rising(0.9, 0.98, 0)(1));
        using var objective = new Data2Vec(new PretrainPlan(Options("ema_steps: 2")).Data2Vec);
        var teacher = objective.Networks.Single(n => n.Follows is not null);
        Assert.Equal([0.9, 0.945, 0.99], Enumerable.Range(1, 3).Select(step => Math.Round(teacher.MomentumAt!(step), 12)));
    }

    [Fact]
    public void Weights_AtTheStart_AreDistributedAsPublished()
    {
        using var scope = NewDisposeScope();
        var options = new PretrainPlan(Options("layer_scale: 0.01")).Data2Vec;
        using var objective = new Data2Vec(options with { Encoder = options.Encoder with { Width = 96, MlpWidth = 384, Heads = 3 } });
        foreach (var (name, parameter) in objective.Student.named_parameters().Concat(objective.Head.named_parameters()))
        {
            var (deviation, largest) = (parameter.numel() > 1 ? parameter.std().item<float>() : 0, parameter.abs().max().item<float>());
            if (name.Contains("gamma_", StringComparison.Ordinal)) Assert.True(parameter.eq(full_like(parameter, 0.01f)).all().item<bool>(), name);
            else if (name.Contains("norm", StringComparison.Ordinal) && name.EndsWith("weight", StringComparison.Ordinal))
                Assert.True(parameter.eq(ones_like(parameter)).all().item<bool>(), name);
            else if (name.EndsWith("bias", StringComparison.Ordinal) || name.Contains("table", StringComparison.Ordinal)) Assert.Equal(0, largest);
            else
            {
                var divisor = name.Contains("attn.proj", StringComparison.Ordinal) || name.Contains("fc2", StringComparison.Ordinal)
                    ? Math.Sqrt(2 * (1 + (name[7] - '0'))) : 1;
                Assert.True(largest <= 0.0200001 / divisor, $"{name}: {largest}");
                Assert.Equal(0.0108 / divisor, deviation, parameter.numel() > 5000 ? 0.0003 / divisor : 0.003);
            }
        }
    }

    [Fact]
    public void Defaults_OfTheConfiguration_AreThoseOfThePublishedCommand()
    {
        var options = PretrainOptions.Parse("meta: { objective: data2vec }");
        var plan = new PretrainPlan(options);
        var (o, d) = (options.Optimization, plan.Data2Vec);
        Assert.Equal((800, 10, 0, 2e-3, 1e-5, 0.05, 0.05, 3.0), (o.Epochs, o.Warmup, o.StartLr, o.Lr, o.FinalLr, o.WeightDecay, o.FinalWeightDecay,
            o.ClipGrad));
        Assert.Equal((120, 16, null), (d.Masking.Patches, d.Masking.Least, d.Masking.Most));
        Assert.Equal([6, 7, 8, 9, 10, 11], d.TargetBlocks);
        Assert.Equal((2, 1e-4, 0.25, true, true, false), (d.Beta, d.LayerScale, d.DropPath, d.NormalizesBlocks, d.NormalizesMean, d.AveragesPlaces));
        Assert.Equal(0.9998, d.Momentum(1));
        Assert.Equal(
            (true, true, false, true, false, true), (d.Encoder.ClassToken, d.Encoder.RelativePositions, d.Encoder.AbsolutePositions,
                d.Encoder.LayerScale, d.Encoder.KeyBias, d.Encoder.MaskToken));
        var changes = d.View.Transform.Augmentations;
        Assert.Equal((0.5, 1, 0, 0, 0), (changes.Flip, changes.JitterChance, changes.Gray, changes.Blur, changes.Solarize));
        Assert.Equal(new ColorJitter(0.4, 0.4, 0.4, 0), changes.Jitter);
        Assert.Equal((0.08, 1), (d.View.Transform.Crop.MinScale, d.View.Transform.Crop.MaxScale));
        using var objective = new Data2Vec(d, META);
        Assert.Equal(86_256_720, objective.Student.parameters().Sum(p => p.numel()) + objective.Head.parameters().Sum(p => p.numel()));
    }

    [Theory]
    [InlineData("mask_patches: 16", "data2vec.mask_patches: found 16; expected 1 to 15")]
    [InlineData("mask_least: 16", "data2vec.mask_least: found 16; expected fewer than the 16 patches")]
    [InlineData("target_blocks: 3", "data2vec.target_blocks: found 3; expected at most the encoder's 2 blocks")]
    [InlineData("beta: 0", "data2vec.beta: found 0")]
    [InlineData("drop_path: 1", "data2vec.drop_path: found 1")]
    [InlineData("positions: absolute, average_places: true", "data2vec.average_places: found true")]
    public void Configuration_ThatCannotBe_IsRefused(string section, string message) =>
        Assert.Contains(message, Assert.Throws<ConfigurationException>(() => Options(section)).Message);

    [Theory]
    [InlineData("variance: 0.5", 2, 2)]
    [InlineData("variance: 0.5", 1, 1)]
    [InlineData("variance: 0", 2, 1)]
    public void Words_OfAVarianceTerm_SayThatItIsOverMicroBatches(string section, int batches, int sentences)
    {
        using var objective = new Data2Vec(new PretrainPlan(Options(section)).Data2Vec, META);
        Assert.Equal(sentences, objective.Describe(4, batches, 0).Count);
    }

    private static PretrainOptions Options(string section) =>
        Data2VecContract.Tiny2Vec(section.Contains("mask_least", StringComparison.Ordinal) ? section : $"mask_least: 2, {section}");
}
