using JepaSharp.Configuration;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Objectives;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Objectives;

/// <summary>C-JEPA's terms: by hand, and as a part of I-JEPA's loss.</summary>
public sealed class VarianceCovarianceTests
{
    [Fact]
    public void Terms_OfAFewRows_AreTheSumsMadeByHand()
    {
        using var scope = NewDisposeScope();
        // Deviations from the mean: (-1, -2), (0, 0), (1, 2), of a third feature none; covariances over 3 - 1.
        var (variance, covariance) = VarianceCovariance.Of(tensor(new float[,] { { 0, 0, 5 }, { 1, 2, 5 }, { 2, 4, 5 } }));
        Assert.Equal((1 - Math.Sqrt(1e-4)) / 3, variance.item<float>(), 1e-5);
        Assert.Equal(2 * 2 * 2 / 3.0, covariance.item<float>(), 1e-5);
    }

    [Fact]
    public void Loss_WithBothTerms_IsThePredictionsAndTheirs()
    {
        using var scope = NewDisposeScope();
        var shape = new VisionTransformerShape
        {
            ImageHeight = 32,
            ImageWidth = 32,
            PatchSize = 8,
            Width = 32,
            Depth = 1,
            Heads = 2,
            MlpWidth = 48,
        };
        var options = new ImageJepaOptions
        {
            Encoder = shape,
            Predictor = new PredictorShape(16, 1, 2),
            Masks = ImageJepaOptions.DrawnFrom(new MultiBlockMaskingOptions { Grid = new PatchGrid(4, 4), MinKeep = 1 }),
            Variance = 0.3,
            Covariance = 0.2,
        };
        using var jepa = new ImageJepa(options);
        using var batch = new ViewBatch(
            new Dictionary<string, Tensor> { ["image"] = rand([3, 3, 32, 32], generator: new Generator(1)).DetachFromDisposeScope() }, [4, 0, 8]);
        using var masks = JepaMasks.Of(jepa.DrawMasks(batch.Indices, Step.Untracked(0)), CPU);
        var (variance, covariance) = VarianceCovariance.Of(jepa.ContextEncoder.Encode(batch["image"], masks.Context).mean([1L]));
        var alone = jepa.Loss(batch["image"], masks, Step.Untracked(0)).item<float>();
        var expected = alone + (0.3 * variance.item<float>()) + (0.2 * covariance.item<float>());
        Assert.Equal(expected, jepa.Loss(batch, Step.Untracked(0)).item<float>(), 1e-5);
    }

    [Fact]
    public void Terms_OfASingleImage_AreRefused() =>
        Assert.Contains("does not vary", Assert.Throws<ConfigurationException>(
            () => new PretrainOptions().Apply(["ijepa.variance=0.1", "data.batch_size=1"]).Validate()).Message, StringComparison.Ordinal);
}
