using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Models;

/// <summary>Relative positions: which row of the table stands for which pair of tokens, and their way to other grids.</summary>
public sealed class RelativePositionsTests
{
    [Fact]
    public void Places_OfAGrid_DependOnTheDifferenceAlone_AndAreAllUsed()
    {
        const int height = 3, width = 4, tokens = (height * width) + 1;
        var places = RelativePositionBias.PlacesOf(height, width);
        var rows = RelativePositionBias.RowsOf(height, width);
        Assert.Equal((5 * 7) + 3, rows);
        Assert.Equal(Enumerable.Range(0, rows).Select(r => (long)r), places.Distinct().Order());
        for (var query = 1; query < tokens; query++)
        {
            Assert.Equal((rows - 2L, rows - 3L), (places[query * tokens], places[query]));
            for (var key = 1; key < tokens; key++)
            {
                var (down, right) = (((query - 1) / width) - ((key - 1) / width), ((query - 1) % width) - ((key - 1) % width));
                Assert.Equal(((down + height - 1) * 7L) + right + width - 1, places[(query * tokens) + key]);
            }
        }

        Assert.Equal(rows - 1L, places[0]);
    }

    [Theory]
    [InlineData(7, 14)]
    [InlineData(14, 7)]
    [InlineData(4, 5)]
    public void Resize_OfALineInTheDifference_KeepsTheEnds_AndTheClassRows(int before, int after)
    {
        using var scope = NewDisposeScope();
        // A plane in the places that old differences are thought to have: the spline of a plane is the plane.
        var table = zeros([RelativePositionBias.RowsOf(before, before), 2], float64);
        var side = (2 * before) - 1;
        for (var r = 0; r < side; r++)
        {
            for (var c = 0; c < side; c++) table[(r * side) + c, 0] = r - (before - 1);
        }

        for (var i = 1; i <= 3; i++) table[-i] = 100 + i;
        var resized = RelativeTableResizing.Resize(table.to(float32), (before, before), (after, after));
        Assert.Equal([RelativePositionBias.RowsOf(after, after), 2], resized.shape);
        Assert.Equal([103, 102, 101], Enumerable.Range(0, 3).Select(i => (int)resized[resized.shape[0] - 3 + i, 0].item<float>()));
        var middle = ((2 * after) - 1) * (after - 1);
        Assert.Equal(0, resized[middle, 0].item<float>(), 1e-5);
        if (after > before) Assert.Equal(before - 1, resized[((2 * after) - 1) * ((2 * after) - 2), 0].item<float>(), 1e-3);
        Assert.True(resized.narrow(0, 0, resized.shape[0] - 3).select(1, 1).abs().max().item<float>() < 1e-6);
    }

    [Fact]
    public void Spline_IsTheCubic_WhereThePointsLieOnOne()
    {
        double[] points = [-2.2, -1, 0, 1, 2.5, 4];
        double Cubic(double x) => (0.3 * x * x * x) - (x * x) + (2 * x) - 1;
        for (var at = -2.2; at <= 4; at += 0.1)
            Assert.Equal(Cubic(at), CubicSpline.Weights(points, at).Zip(points, (weight, point) => weight * Cubic(point)).Sum(), 1e-9);
    }

    [Fact]
    public void Shapes_ThatCannotBe_AreRefused_AndPartsOfAnImageNeedAbsolutePositions()
    {
        var shape = Shape;
        Assert.Contains("class token", Assert.Throws<ArgumentException>(() => new VisionTransformer(shape with { ClassToken = false })).Message);
        using var scope = NewDisposeScope();
        using var encoder = new VisionTransformer(shape);
        Initialization.Initialize(encoder, 1, 0);
        using var chosen = new PatchSelection([[0L, 1]], 1, 16, CPU);
        Assert.Contains("absolute", Assert.Throws<InvalidOperationException>(() => encoder.Encode(zeros(1, 3, 32, 32), chosen)).Message);
        Assert.Contains("mask token", Assert.Throws<InvalidOperationException>(
            () => encoder.EncodeMasked(zeros(1, 3, 32, 32), zeros([1, 16], ScalarType.Bool))).Message);
        using var masked = new VisionTransformer(shape with { MaskToken = true });
        Assert.Contains("[1, 16]", Assert.Throws<ArgumentException>(
            () => masked.EncodeMasked(zeros(1, 3, 32, 32), zeros([1, 9], ScalarType.Bool))).Message);
    }

    /// <summary>Nobody but relative positions says where patches are: without them, patches in another order give the same tokens in that
    /// order.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void PatchesInAnotherOrder_AreSeenAsSuch_OnlyWithRelativePositions(bool relative)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var encoder = new VisionTransformer(Shape with { RelativePositions = relative });
        Initialization.Initialize(encoder, 1, 0);
        foreach (var parameter in encoder.parameters()) _ = parameter.mul_(5);
        var image = randn([1, 3, 32, 32], generator: new Generator(2));
        var swapped = cat([image.narrow(3, 8, 8), image.narrow(3, 0, 8), image.narrow(3, 16, 16)], dim: 3);
        Tensor first = encoder.forward(image)[0, 1], second = encoder.forward(swapped)[0, 2];
        Assert.Equal(relative, (first - second).abs().max().item<float>() > 1e-4);
    }

    private static VisionTransformerShape Shape => new()
    {
        ImageHeight = 32,
        ImageWidth = 32,
        PatchSize = 8,
        Width = 32,
        Depth = 2,
        Heads = 2,
        MlpWidth = 64,
        ClassToken = true,
        AbsolutePositions = false,
        RelativePositions = true,
    };
}
