using JepaSharp.Configuration;
using JepaSharp.Masking;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Configuration;

public sealed class MaskStrategyOptionsTests
{
    [Theory]
    [InlineData("multi_block", typeof(MultiBlockMaskingOptions))]
    [InlineData("multi-block", typeof(MultiBlockMaskingOptions))]
    [InlineData("rasterized", typeof(RasterizedMaskingOptions))]
    [InlineData("block", typeof(BlockMaskingOptions))]
    [InlineData("random", typeof(RandomMaskingOptions))]
    public void Strategy_OfOneSetting_IsThePapersRow(string name, Type drawn)
    {
        var masking = PretrainOptions.Parse($"mask:\n  strategy: {name}\n").Mask.On(new PatchGrid(14, 14));
        Assert.IsType(drawn, masking);
        Assert.Empty(masking.Problems());
    }

    [Fact]
    public void Keys_OfAStrategy_ReachWhatIsDrawn()
    {
        var grid = new PatchGrid(14, 14);
        MaskOptions Of(string keys) => PretrainOptions.Parse("mask:\n  min_keep: 7\n  " + keys).Mask;
        Assert.Equal(
            new RasterizedMaskingOptions { Grid = grid, MinKeep = 7, Context = ContextQuadrant.BottomLeft },
            Of("strategy: rasterized\n  context_quadrant: bottom_left\n").On(grid));
        Assert.Equal(
            new BlockMaskingOptions { Grid = grid, MinKeep = 7, TargetShare = new Interval(0.3, 0.4), TargetAspect = new Interval(1, 2) },
            Of("strategy: block\n  target_share: [0.3, 0.4]\n  aspect_ratio: [1, 2]\n").On(grid));
        Assert.Equal(
            new RandomMaskingOptions
            {
                Grid = grid,
                MinKeep = 7,
                TargetShare = new Interval(0.4, 0.6),
                Compatibility = MaskCompatibility.Reference,
            },
            Of("strategy: random\n  target_share: [0.4, 0.6]\n  compatibility: reference\n").On(grid));
    }

    [Fact]
    public void Keys_ThatAStrategyDoesNotRead_AreAllNamed()
    {
        var mask = new MaskOptions
        {
            Strategy = MaskStrategy.Rasterized,
            NumEncMasks = 2,
            EncMaskScale = new Interval(0.5, 1),
            NumPredMasks = 1,
            PredMaskScale = new Interval(0.1, 0.2),
            AspectRatio = new Interval(1, 1),
            AllowOverlap = true,
            Compatibility = MaskCompatibility.Reference,
            TargetShare = new Interval(0.5, 0.5),
        };
        Assert.Equal(
            [
                "num_enc_masks", "enc_mask_scale", "num_pred_masks", "pred_mask_scale", "aspect_ratio", "allow_overlap", "compatibility",
                "target_share",
            ],
            new PretrainOptions { Mask = mask }.FindProblems().Select(p => p.Key["mask.".Length..]));
        var problem = Assert.Single(new PretrainOptions { Mask = new MaskOptions { TargetShare = new Interval(0.5, 0.5) } }.FindProblems());
        Assert.Equal(
            "mask.target_share: found [0.5, 0.5]; expected [0.6, 0.6], or nothing: mask.strategy multi_block does not read it; block and random "
                + "would",
            problem.ToString());
    }

    [Fact]
    public void Grid_OfAnOddSide_NamesTheCropsOnEitherSide()
    {
        var problem = Assert.Single(
            new PretrainOptions { Data = new() { CropSize = 240 }, Mask = new MaskOptions { Strategy = MaskStrategy.Rasterized } }.FindProblems());
        Assert.Equal("data.crop_size", problem.Key);
        Assert.Equal("a grid of 14x14 or 16x16: data.crop_size 224 or 256", problem.Expected);
    }

    [Fact]
    public void Problems_OfKeysAndGrid_AreSaidTogether()
    {
        var options = new PretrainOptions
        {
            Data = new() { CropSize = 240 },
            Mask = new MaskOptions { Strategy = MaskStrategy.Rasterized, NumPredMasks = 2 },
        };
        Assert.Equal(["data.crop_size", "mask.num_pred_masks"], options.FindProblems().Select(p => p.Key).Order());
    }

    [Theory]
    [InlineData(48, "a multiple of data.batch_size (32), such as 32 or 64")]
    [InlineData(16, "32 or more; for shorter groups make data.batch_size smaller and optimization.accumulate larger")]
    [InlineData(0, "1 or more")]
    public void Group_ThatBatchesDoNotFill_IsRefused(int images, string said)
    {
        var problem = Assert.Single(
            new PretrainOptions { Data = new() { BatchSize = 32 }, Mask = new MaskOptions { ImagesPerLength = images } }.FindProblems());
        Assert.Equal("mask.images_per_length", problem.Key);
        Assert.Contains(said, problem.Expected, StringComparison.Ordinal);
    }
}
