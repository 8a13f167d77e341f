using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Objectives;

namespace JepaSharp.Tests.Objectives;

/// <summary>Counts of operations beside sums made by hand; beside the products that are made: <see cref="ObjectiveContract{T}"/>.</summary>
public sealed class StepOperationsTests
{
    private static readonly VisionTransformerShape Shape =
        new() { ImageHeight = 16, ImageWidth = 16, PatchSize = 4, Width = 8, Depth = 3, Heads = 2, MlpWidth = 20 };

    [Fact]
    public void Encoder_Trained_IsTheSumMadeByHand()
    {
        // 5 patches of 2 images of 48 numbers, to 8.
        const double embedding = 2 * 10 * 48 * 8;
        // 10 tokens: 8 to 24, 8 to 8, 8 to 20, 20 to 8; 2 images of 5 by 5 scores of 8 numbers, twice.
        const double block = 2 * ((10 * 8 * 24) + (10 * 8 * 8) + (10 * 8 * 20 * 2) + (2 * 25 * 8 * 2));
        var counted = NetworkOperations.OfEncoder("encoder", NetworkRole.Trained, Shape, sequences: 2, patches: 5);
        Assert.Equal(embedding + (3 * block), counted.Forward);
        Assert.Equal(embedding + (6 * block), counted.Backward);
        Assert.Equal(0, NetworkOperations.OfEncoder("encoder", NetworkRole.Average, Shape, 2, 5).Backward);
    }

    [Fact]
    public void Encoder_WithAClassToken_HasATokenMoreInItsBlocksAlone()
    {
        const double embedding = 2 * 5 * 48 * 8;
        const double block = 2 * ((6 * 8 * 24) + (6 * 8 * 8) + (6 * 8 * 20 * 2) + (36 * 8 * 2));
        var counted = NetworkOperations.OfEncoder("encoder", NetworkRole.Frozen, Shape with { ClassToken = true }, 1, 5);
        Assert.Equal(embedding + (3 * block), counted.Forward);
    }

    [Fact]
    public void Jepa_WithGivenMasks_CountsEachNetworkForTheTokensThatItIsGiven()
    {
        var masks = new MaskBatch(new PatchGrid(4, 4), 1, [[0, 1, 2]], [[4, 5], [6, 7], [8, 9]]);
        using var jepa = new ImageJepa(new ImageJepaOptions { Encoder = Shape, Predictor = new PredictorShape(4, 2, 1), Masks = (_, _, _) => masks });
        var counted = jepa.Operations([0], Step.Untracked(0));
        Assert.Equal(NetworkOperations.OfEncoder("target_encoder", NetworkRole.Average, Shape, 1, 16).Forward, counted.Of(NetworkRole.Average));
        // 3 patches from 8 to 4; then for each of 3 targets 5 tokens of width 4, hidden 16, in 2 blocks; 2 of them from 4 to 8.
        const double block = 2 * ((5 * 4 * 12) + (5 * 4 * 4) + (5 * 4 * 16 * 2) + (25 * 4 * 2));
        const double predictor = (2 * 3 * 8 * 4) + (3 * 2 * block) + (3 * 2 * 2 * 4 * 8);
        Assert.Equal(3 * predictor, counted.Networks.Single(n => n.Network == "predictor").Total);
        Assert.Equal(
            counted.Total,
            counted.Of(NetworkRole.Average) + (3 * predictor) + NetworkOperations.OfEncoder("encoder", NetworkRole.Trained, Shape, 1, 3).Total);
    }
}
