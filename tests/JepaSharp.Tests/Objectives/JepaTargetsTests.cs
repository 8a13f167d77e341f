using JepaSharp.Configuration;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Models;
using JepaSharp.Monitoring;
using JepaSharp.Objectives;
using JepaSharp.Tests.Monitoring;
using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Objectives;

/// <summary>Other targets than the method's own: pixels, and representations of one target alone.</summary>
public sealed class JepaTargetsTests
{
    private static readonly VisionTransformerShape Shape =
        new() { ImageHeight = 16, ImageWidth = 24, PatchSize = 8, Width = 32, Depth = 1, Heads = 2, MlpWidth = 64 };

    [Fact]
    public void PlainPixels_OfATarget_AreThoseOfItsPlaceRowByRow()
    {
        using var scope = NewDisposeScope();
        using var jepa = New(JepaTarget.PlainPixels);
        using var masks = Masks();
        var images = arange(2 * 3 * 16 * 24, float32).view(2, 3, 16, 24);
        var targets = jepa.Targets(images, masks);
        Assert.Equal([4, 2, 192], targets.shape);
        // The second target's first patch, of the second image: number 3, in the second row of patches, its first column.
        var expected = images[1].narrow(1, 8, 8).narrow(2, 0, 8).permute(1, 2, 0).reshape(192);
        Assert.True(targets[3][0].Equals(expected));
        Assert.Equal([4, 2, 192], jepa.Predict(images, masks).shape);
    }

    [Fact]
    public void Pixels_OfATarget_HaveMeanZeroAndVarianceOne()
    {
        using var scope = NewDisposeScope();
        using var jepa = New(JepaTarget.Pixels);
        using var plain = New(JepaTarget.PlainPixels);
        using var masks = Masks();
        var images = rand([2, 3, 16, 24], generator: new Generator(3));
        var (x, found) = (plain.Targets(images, masks), jepa.Targets(images, masks));
        var expected = (x - x.mean([-1], keepdim: true)) / (x.var(-1, unbiased: false, keepdim: true) + 1e-5).sqrt();
        Assert.True(found.allclose(expected, rtol: 1e-4, atol: 1e-4));
        Assert.False(found.requires_grad);
    }

    /// <summary>Where no token sees another, it makes no difference what the target encoder sees beside a token.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void InputMasking_WhereNoTokenSeesAnother_IsOutputMasking(bool isBlind)
    {
        using var scope = NewDisposeScope();
        using var atOutput = New(JepaTarget.Representations);
        using var atInput = New(JepaTarget.Representations, TargetMasking.Input);
        foreach (var jepa in (ImageJepa[])[atOutput, atInput])
        {
            using var untracked = no_grad();
            var state = jepa.TargetEncoder.state_dict();
            var random = new Generator(5);
            foreach (var tensor in state.Where(p => p.Key.EndsWith("weight", StringComparison.Ordinal)).Select(p => p.Value))
                _ = tensor.normal_(0, 0.3, random);
            if (isBlind)
            {
                _ = state["blocks.0.attn.proj.weight"].zero_();
                _ = state["blocks.0.attn.proj.bias"].zero_();
            }
        }

        using var masks = Masks();
        var images = rand([2, 3, 16, 24], generator: new Generator(3));
        var (output, input) = (atOutput.Targets(images, masks), atInput.Targets(images, masks));
        Assert.Equal(output.shape, input.shape);
        Assert.Equal(isBlind, output.allclose(input, rtol: 1e-4, atol: 1e-4));
    }

    /// <summary>Each target through the target encoder by itself: its neighbours in the batch and the other targets are not seen.</summary>
    [Fact]
    public void InputMasking_OfSeveralTargets_EncodesEachAlone()
    {
        using var scope = NewDisposeScope();
        using var jepa = New(JepaTarget.Representations, TargetMasking.Input);
        using var masks = Masks();
        var images = rand([2, 3, 16, 24], generator: new Generator(3));
        var together = jepa.Targets(images, masks);
        using var alone = new JepaMasks(new PatchSelection([[4]], 1, 6, CPU), new PatchSelection([[3, 5]], 1, 6, CPU));
        var changed = images.narrow(0, 1, 1).clone();
        using (no_grad()) _ = changed.narrow(2, 0, 8).zero_(); // the upper row of patches
        Assert.True(together[3].allclose(jepa.Targets(changed, alone)[0], rtol: 1e-4, atol: 1e-5));
    }

    [Theory]
    [InlineData(JepaTarget.Pixels, TargetMasking.Output)]
    [InlineData(JepaTarget.PlainPixels, TargetMasking.Output)]
    [InlineData(JepaTarget.Representations, TargetMasking.Input)]
    public void Constants_OfAReading_AreTheBestOfItsOwnTargets(JepaTarget target, TargetMasking masking)
    {
        using var scope = NewDisposeScope();
        using var source = new ScenesSource(0, 64, 32);
        var options = TinyRun.Options with
        {
            Ijepa = new JepaOptions { Target = target, MaskTarget = masking },
            Optimization = TinyRun.Options.Optimization with { Loss = JepaLoss.L2 },
        };
        using var scaling = TinyRun.Scaling(options);
        using var objective = new ImageJepa(new PretrainPlan(options).ImageJepa);
        var sample = TinyRun.Sample(source, options);
        var monitor = new RunMonitor(sample, scaling);
        var reading = monitor.Read(objective, cancellation: TestContext.Current.CancellationToken);

        // By hand: the squared distance from a mean is a variance, of all targets or of those in one place.
        var batch = Assert.Single(sample.Batches);
        using var masks = JepaMasks.Of(objective.DrawMasks(batch.Indices, Step.Untracked(0, microBatch: -1)), CPU);
        var rows = objective.Targets(scaling.ToImages(batch), masks).flatten(0, 1).to(float64);
        Assert.Equal(rows.sub(rows.mean([0])).pow(2).mean().item<double>(), reading.ConstantLoss, 1e-5);
        var places = masks.Targets.Patches.data<long>().ToArray();
        var byPlace = Enumerable.Range(0, places.Length).GroupBy(i => places[i]).Sum(place =>
        {
            var own = rows.index_select(0, tensor(place.Select(i => (long)i).ToArray()));
            return own.sub(own.mean([0])).pow(2).mean().item<double>() * place.Count();
        });
        Assert.Equal(byPlace / places.Length, reading.PositionLoss, 1e-5);
        Assert.True(double.IsFinite(reading.Loss) && double.IsFinite(reading.Lidar));
        var glance = monitor.Glance(objective, 0);
        if (target == JepaTarget.Representations) Assert.Equal(reading.ConstantLoss, glance.ConstantLoss, 1e-6);
        else Assert.True(double.IsNaN(glance.ConstantLoss) && glance.RankMe > 0);
    }

    [Fact]
    public void Collapse_OfAnEncoderThatPredictsPixels_IsSeenInItsFeatures()
    {
        using var scope = NewDisposeScope();
        using var source = new ScenesSource(0, 64, 32);
        var options = TinyRun.Options with { Ijepa = new JepaOptions { Target = JepaTarget.Pixels } };
        using var scaling = TinyRun.Scaling(options);
        using var objective = new ImageJepa(new PretrainPlan(options).ImageJepa);
        Assert.True(objective.TargetsAreFixed);
        using (no_grad())
        {
            var state = objective.TargetEncoder.state_dict();
            _ = state["norm.weight"].zero_();
            _ = state["norm.bias"].copy_(arange(24, float32));
        }

        var reading = new RunMonitor(TinyRun.Sample(source, options), scaling).Read(objective, cancellation: TestContext.Current.CancellationToken);
        Assert.True(reading.ConstantLoss > 0.1);
        Assert.True(CollapseWatch.IsCollapsed(reading, targetsAreFixed: true));
        var watch = new CollapseWatch(targetsAreFixed: true);
        Assert.Empty(watch.Add(1, reading));
        Assert.Contains("the encoder says nearly the same of every image", Assert.Single(watch.Add(2, reading)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Cost_OfAStep_IsThatOfItsTargets()
    {
        double StepOf(JepaOptions ijepa) => CostOf(TinyRun.Options with { Ijepa = ijepa });
        var (usual, pixels) = (StepOf(new()), StepOf(new() { Target = JepaTarget.Pixels }));
        var input = StepOf(new() { MaskTarget = TargetMasking.Input });
        Assert.True(pixels < input && input < usual, $"{pixels} < {input} < {usual}");

        static double CostOf(PretrainOptions options)
        {
            using var objective = new ImageJepa(new PretrainPlan(options).ImageJepa, META);
            return objective.Cost([0, 1], Step.Untracked(0)).Step;
        }
    }

    private static ImageJepa New(JepaTarget target, TargetMasking masking = TargetMasking.Output) => new(new ImageJepaOptions
    {
        Encoder = Shape,
        Predictor = new PredictorShape(16, 1, 1),
        Target = target,
        MaskTarget = masking,
    });

    /// <summary>Of a grid of two by three patches.</summary>
    private static JepaMasks Masks() =>
        new(new PatchSelection([[1, 4, 2, 4]], 2, 6, CPU), new PatchSelection([[0, 2, 0, 1], [3, 5, 3, 5]], 2, 6, CPU));
}
