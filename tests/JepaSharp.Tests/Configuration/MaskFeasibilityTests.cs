using CsCheck;
using JepaSharp.Configuration;

namespace JepaSharp.Tests.Configuration;

public sealed class MaskFeasibilityTests
{
    private static readonly Gen<(double Scale, double Low, double High, int Rows, int Columns, MaskCompatibility Mode)> Blocks =
        Gen.Select(Gen.Double[0.01, 1], Gen.Double[0.2, 2], Gen.Double[0, 2], Gen.Int[1, 24], Gen.Int[1, 24], Gen.Enum<MaskCompatibility>())
            .Select(drawn => (drawn.Item1, drawn.Item2, drawn.Item2 + drawn.Item3, drawn.Item4, drawn.Item5, drawn.Item6));

    [Fact]
    public void AllShapes_AgainstADenseScanOfAspects_AgreeInEveryShape() =>
        Blocks.Sample(
            drawn =>
            {
                var (scale, low, high, rows, columns, mode) = drawn;
                var scanned = Enumerable.Range(0, 2001).Select(i => BlockShape.Of(scale, low + ((high - low) * (i + 0.4142) / 2001), rows, columns, mode)).ToHashSet();
                var all = BlockShape.All(scale, new ScaleRange(low, high), rows, columns, mode).ToHashSet();
                // Off the round numbers, where a single aspect can hit a tie in rounding. The scan steps over narrow intervals; what it finds must be listed, and what is listed must be near something it found.
                Assert.Subset(all, scanned);
                Assert.All(all, shape => Assert.Contains(scanned, other => Math.Abs(shape.Height - other.Height) <= 1 && Math.Abs(shape.Width - other.Width) <= 1));
            },
            iter: 300);

    // Sizes that the published sampler drew for these grids (target_sizes in reference_numbers.json).
    [Theory]
    [InlineData(14, new[] { 30, 35, 36, 40 })]
    [InlineData(16, new[] { 35, 36, 42, 48, 54 })]
    [InlineData(12, new[] { 20, 24, 25, 30 })]
    [InlineData(8, new[] { 9, 12 })]
    public void Reference_OneDrawForScaleAndAspect_GivesTheRecordedTargetSizes(int side, int[] recorded)
    {
        var areas = Enumerable.Range(0, 2000).Select(i => i / 2000.0)
            .Select(draw => BlockShape.Of(0.15 + (0.05 * draw), 0.75 + (0.75 * draw), side, side, MaskCompatibility.Reference).Area);
        Assert.Equal(recorded, areas.Distinct().Order());
    }

    [Theory]
    [InlineData(MaskCompatibility.Paper, 14)]
    [InlineData(MaskCompatibility.Reference, 13)]
    public void Context_OfTheWholeGrid_IsCappedAsTheModeSays(MaskCompatibility mode, int side) =>
        Assert.Equal(new BlockShape(side, side), BlockShape.Of(1.0, 1, 14, 14, mode));

    [Theory]
    [InlineData(8, 10, MaskCompatibility.Paper, true)]
    [InlineData(8, 4, MaskCompatibility.Reference, true)]
    [InlineData(8, 9, MaskCompatibility.Reference, false)]
    [InlineData(4, 10, MaskCompatibility.Paper, true)]
    [InlineData(4, 10, MaskCompatibility.Reference, false)]
    [InlineData(3, 10, MaskCompatibility.Paper, false)]
    [InlineData(1, 1, MaskCompatibility.Paper, false)]
    [InlineData(2, 1, MaskCompatibility.Paper, true)]
    public void Grid_WithPublishedScales_FitsOrNot(int side, int minKeep, MaskCompatibility mode, bool fits) =>
        Assert.Equal(fits, MaskFeasibility.Explain(new() { MinKeep = minKeep, Compatibility = mode }, side, side) is null);

    [Fact]
    public void SmallestGrid_AnyMasks_FitsAndNoSmallerDoes() =>
        Gen.Select(Gen.Double[0.3, 1], Gen.Double[0.05, 0.4], Gen.Int[1, 40], Gen.Enum<MaskCompatibility>()).Sample(
            (context, target, minKeep, mode) =>
            {
                var mask = new MaskOptions { EncMaskScale = new(context, 1), PredMaskScale = new(target / 2, target), MinKeep = minKeep, Compatibility = mode };
                var side = MaskFeasibility.SmallestGrid(mask);
                if (side is null) return;
                Assert.Null(MaskFeasibility.Explain(mask, side.Value, side.Value));
                for (var smaller = 1; smaller < side; smaller++) Assert.NotNull(MaskFeasibility.Explain(mask, smaller, smaller));
            },
            iter: 200);

    [Fact]
    public void Validate_GridTooSmall_NamesTheSmallestCropThatWorks()
    {
        var options = new PretrainOptions { Data = new() { CropSize = 32 } };
        var problem = Assert.Single(options.FindProblems());
        Assert.Equal("data.crop_size", problem.Key);
        Assert.Contains("a grid of 2x2 patches of 16 pixels", problem.Found, StringComparison.Ordinal);
        Assert.Contains("at least 4x4: data.crop_size 64 or more", problem.Expected, StringComparison.Ordinal);
        Assert.Empty((options with { Data = options.Data with { CropSize = 64 } }).FindProblems());
    }

    [Fact]
    public void Validate_TargetsThatCoverTheContext_SayThatNoGridWorks()
    {
        var options = new PretrainOptions { Mask = new() { EncMaskScale = new(0.3, 0.4), PredMaskScale = new(0.5, 0.6) } };
        Assert.Contains("smaller mask.pred_mask_scale", Assert.Single(options.FindProblems()).Expected, StringComparison.Ordinal);
        Assert.Empty((options with { Mask = options.Mask with { AllowOverlap = true } }).FindProblems());
    }
}
