using JepaSharp.Configuration;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Objectives;

public sealed class ImageJepaTests
{
    private static readonly VisionTransformerShape Shape =
        new() { ImageHeight = 32, ImageWidth = 32, PatchSize = 8, Width = 24, Depth = 1, Heads = 2, MlpWidth = 48 };

    [Fact]
    public void Distance_OfEachLoss_IsItsFormula()
    {
        using var scope = NewDisposeScope();
        var (predictions, targets) = (tensor([0f, 0, 0, 0]), tensor([0.5f, -0.5f, 2, -3]));
        // Smooth L1: half the square below 1, the distance less a half above.
        Assert.Equal((0.125 + 0.125 + 1.5 + 2.5) / 4, Loss(JepaLoss.SmoothL1), 1e-6);
        Assert.Equal((0.25 + 0.25 + 4 + 9) / 4, Loss(JepaLoss.L2), 1e-6);

        double Loss(JepaLoss loss)
        {
            using var jepa = new ImageJepa(new ImageJepaOptions { Encoder = Shape, Predictor = new PredictorShape(12, 1, 2), Loss = loss });
            return jepa.Distance(predictions, targets).item<float>();
        }
    }

    [Fact]
    public void Targets_OfAnyImage_AreNormalisedWithoutScaleOrShift()
    {
        using var scope = NewDisposeScope();
        using var jepa = new ImageJepa(new ImageJepaOptions { Encoder = Shape, Predictor = new PredictorShape(12, 1, 2) });
        using var masks = new JepaMasks(new PatchSelection([[0, 1]], 1, 16, CPU), new PatchSelection([[5, 6, 7]], 1, 16, CPU));
        using (no_grad())
        {
            _ = jepa.TargetEncoder.state_dict()["norm.weight"].fill_(3);
            _ = jepa.TargetEncoder.state_dict()["norm.bias"].fill_(2);
        }

        var targets = jepa.Targets(rand(1, 3, 32, 32), masks);
        Assert.Equal([1, 3, 24], targets.shape);
        Assert.True(targets.mean([2]).abs().max().item<float>() < 1e-5);
        Assert.Equal(1, targets.var(2, unbiased: false).mean().item<float>(), 1e-3f);
        Assert.False(targets.requires_grad);
    }

    public static TheoryData<MaskingOptions> Strategies
    {
        get
        {
            // A grid of 4 by 6: not square, and room for every strategy.
            var grid = new PatchGrid(4, 6);
            return
            [
                new MultiBlockMaskingOptions { Grid = grid, MinKeep = 1 }, new RasterizedMaskingOptions { Grid = grid, MinKeep = 1 },
                new BlockMaskingOptions { Grid = grid, MinKeep = 1 }, new RandomMaskingOptions { Grid = grid, MinKeep = 1 },
            ];
        }
    }

    /// <summary>Whatever the masks, the loss is the mean over targets of the distance, and is taken backward one target at a time.</summary>
    [Theory]
    [MemberData(nameof(Strategies))]
    public void Loss_OfAnyStrategy_IsTheMeanOverItsTargets(MaskingOptions masking)
    {
        using var scope = NewDisposeScope();
        ImageJepa New() => new(new ImageJepaOptions
        {
            Encoder = Shape with { ImageWidth = 48, Width = 32 },
            Predictor = new PredictorShape(16, 1, 1),
            Masks = ImageJepaOptions.DrawnFrom(masking),
        });
        using var objective = New();
        using var plain = New();
        using var step = new TrainingStep(objective, new Schedules(new ScheduleOptions { StepsPerEpoch = 10, Epochs = 10 }));
        using var batch = new ViewBatch(
            new Dictionary<string, Tensor> { ["image"] = rand([3, 3, 32, 48], generator: new Generator(1)).DetachFromDisposeScope() }, [4, 0, 8]);
        using var masks = JepaMasks.Of(plain.DrawMasks(batch.Indices, Step.Untracked(0)), CPU);
        var (targets, predictions) = (plain.Targets(batch["image"], masks), plain.Predict(batch["image"], masks));
        double expected = 0;
        for (var t = 0; t < masks.Targets.Sets; t++)
            expected += plain.Distance(predictions.narrow(0, 3 * t, 3), targets.narrow(0, 3 * t, 3)).item<float>() / masks.Targets.Sets;
        var loss = plain.Loss(batch, Step.Untracked(0));
        Assert.Equal(expected, loss.item<float>(), 1e-5);
        loss.backward();

        using var pending = step.Begin([batch]);
        Assert.Equal(expected, pending.Read().Loss, 1e-5);
        foreach (var network in step.State.Trained)
        {
            var module = plain.Networks.Single(n => n.Name == network.Network.Name).Module;
            var norm = Math.Sqrt(module.parameters().Where(p => p.grad is not null).Sum(p => p.grad!.pow(2).sum().item<float>()));
            Assert.True(norm > 0);
            Assert.Equal(norm, Math.Sqrt(network.Parameters.SquaredGradientNorm()), 1e-3 * norm);
        }
    }
}
