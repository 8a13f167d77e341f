using JepaSharp.Masking;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Masking;

public sealed class MultiBlockMaskingTests
{
    [Fact]
    public void Targets_OfAnImage_DoNotDependOnItsCompany()
    {
        var sampler = new MaskSampler(new MultiBlockMaskingOptions { Grid = new PatchGrid(14, 14) });
        var together = sampler.Sample(1, 8, [40, 41, 42]);
        var apart = sampler.Sample(1, 8, [42, 7]);
        for (var t = 0; t < 4; t++) Assert.Equal(together.Target(t, 2), apart.Target(t, 0));
    }

    [Fact]
    public void Masks_OfAnotherKey_AreOthers()
    {
        var sampler = new MaskSampler(new MultiBlockMaskingOptions { Grid = new PatchGrid(14, 14) });
        long[] Drawn(ulong seed, long step, int rank) => sampler.Sample(seed, step, 16, rank).Context(0).ToArray();
        var first = Drawn(1, 1, 0);
        Assert.Equal(first, Drawn(1, 1, 0));
        Assert.NotEqual(first, Drawn(2, 1, 0));
        Assert.NotEqual(first, Drawn(1, 2, 0));
        Assert.NotEqual(first, Drawn(1, 1, 1));
    }

    [Theory]
    [InlineData(3, 3, MaskCompatibility.Paper, "4x4")]
    [InlineData(8, 8, MaskCompatibility.Reference, "9x9")]
    [InlineData(1, 1, MaskCompatibility.Reference, "9x9")]
    [InlineData(2, 4, MaskCompatibility.Paper, "3x5")]
    public void Grid_TooSmall_NamesTheSmallestThatWorks(int height, int width, MaskCompatibility mode, string smallest)
    {
        var options = new MultiBlockMaskingOptions { Grid = new PatchGrid(height, width), Compatibility = mode };
        var error = Assert.Throws<JepaException>(() => new MaskSampler(options));
        Assert.True(error.IsUsage);
        Assert.Contains($"A grid of {height}x{width} patches", error.Message, StringComparison.Ordinal);
        Assert.Contains($"works is {smallest}:", error.Message, StringComparison.Ordinal);

        var sides = smallest.Split('x').Select(s => int.Parse(s, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        _ = new MaskSampler(options with { Grid = new PatchGrid(sides[0], sides[1]) }).Sample(0, 0, 64);
    }

    [Fact]
    public void Scales_ThatNoGridSatisfies_AreRefusedInWords()
    {
        var options = new MultiBlockMaskingOptions
        {
            Grid = new PatchGrid(14, 14),
            TargetScale = new Interval(0.9, 1),
            TargetAspect = new Interval(1, 1),
        };
        Assert.Contains("No grid of up to 128 patches a side would do", Assert.Throws<JepaException>(() => new MaskSampler(options)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Problems_OfBadOptions_AreAllReported()
    {
        var options = new MultiBlockMaskingOptions
        {
            Grid = new PatchGrid(14, 14),
            TargetScale = new Interval(0.2, 0.1),
            ContextScale = new Interval(0.5, 1.5),
            TargetAspect = new Interval(0, 1),
            TargetBlocks = 0,
            ContextBlocks = 0,
            MinKeep = 0,
        };
        Assert.Equal(6, options.Problems().Count);
    }

    [Fact]
    public void ReferenceMasks_CrowdedByTargets_DropConstraintsAndEnd()
    {
        // Six targets hide nearly everything: the context must, in the end, share patches with some of them.
        var sampler = new MaskSampler(new MultiBlockMaskingOptions
        {
            Grid = new PatchGrid(6, 6),
            TargetScale = new Interval(0.45, 0.5),
            TargetBlocks = 6,
            Compatibility = MaskCompatibility.Reference,
        });
        for (var step = 0; step < 50; step++) Assert.True(sampler.Sample(0, step, 16).ContextLength > 10);
    }
}
