using JepaSharp.Configuration;
using JepaSharp.Models;
using JepaSharp.Objectives;
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
}
