using CsCheck;
using JepaSharp.Masking;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Masking;

/// <summary>Rasterized, block and random masks: counts, exact relations of sets, and what is drawn how often.</summary>
public sealed class StrategyMaskTests
{
    private static readonly PatchGrid Fourteen = new(14, 14), Eight = new(8, 8);

    private static readonly Gen<MaskingOptions> AnyOptions =
        from height in Gen.Int[1, 20]
        from width in Gen.Int[1, 20]
        from minKeep in Gen.Int[1, 30]
        from strategy in Gen.Int[0, 2]
        from quadrant in Gen.Enum<ContextQuadrant>()
        from mode in Gen.Enum<MaskCompatibility>()
        from shareLow in Gen.Double[0.01, 0.9]
        from shareSpan in Gen.Double[0, 0.1]
        from aspectLow in Gen.Double[0.2, 1.2]
        let grid = new PatchGrid(height, width)
        let share = new Interval(shareLow, shareLow + shareSpan)
        select strategy switch
        {
            0 => (MaskingOptions)new RasterizedMaskingOptions { Grid = grid, MinKeep = minKeep, Context = quadrant },
            1 => new BlockMaskingOptions { Grid = grid, MinKeep = minKeep, TargetShare = share, TargetAspect = new Interval(aspectLow, 1.6) },
            _ => new RandomMaskingOptions { Grid = grid, MinKeep = minKeep, TargetShare = share, Compatibility = mode },
        };

    /// <summary>Every patch is context or in one target, and never both.</summary>
    [Fact]
    public void Masks_OfAnyOptions_AreRefusedOrCutTheGridInParts()
        => Gen.Select(AnyOptions, Gen.ULong, Gen.Int[1, 9]).Sample(
            (options, seed, batch) =>
            {
                if (options.Problems().Count > 0)
                {
                    Assert.True(Assert.Throws<JepaException>(() => new MaskSampler(options)).IsUsage);
                    return;
                }

                var masks = new MaskSampler(options).Sample(seed, 3, batch);
                Assert.True(masks.ContextLength >= options.MinKeep);
                for (var image = 0; image < batch; image++)
                {
                    long[] patches = [.. masks.Context(0, image), .. Enumerable.Range(0, masks.TargetBlocks).SelectMany(t => masks.Target(t, image)
                        .ToArray())];
                    Assert.Equal(Enumerable.Range(0, options.Grid.Count).Select(p => (long)p), patches.Order());
                }
            },
            iter: 3000);

    [Theory]
    [InlineData(14, 14, 49)]
    [InlineData(8, 8, 16)]
    [InlineData(6, 14, 21)]
    public void Quarters_OfAGrid_AreOneContextAndThreeTargetsOfOneSize(int height, int width, int patches)
    {
        var grid = new PatchGrid(height, width);
        long[][] quarters =
            [.. Enumerable.Range(0, 4).Select(q => new PatchBlock(q / 2 * height / 2, q % 2 * width / 2, height / 2, width / 2).Indices(grid))];
        var contexts = new int[4];
        var masks = new MaskSampler(new RasterizedMaskingOptions { Grid = grid }).Sample(1, 0, 4000);
        Assert.Equal((1, patches, 3, patches), (masks.ContextBlocks, masks.ContextLength, masks.TargetBlocks, masks.TargetLength));
        for (var image = 0; image < masks.Batch; image++)
        {
            var context = Array.FindIndex(quarters, q => q.AsSpan().SequenceEqual(masks.Context(0, image)));
            contexts[context]++;
            var targets = Enumerable.Range(0, 3).Select(t => masks.Target(t, image).ToArray());
            Assert.Equal(quarters.Where((_, q) => q != context), targets);
        }

        // A quarter each, within four standard errors.
        Assert.All(contexts, count => Assert.InRange(count, 1000 - 110, 1000 + 110));
    }

    [Theory]
    [InlineData(ContextQuadrant.TopLeft, 0)]
    [InlineData(ContextQuadrant.TopRight, 7)]
    [InlineData(ContextQuadrant.BottomLeft, 98)]
    [InlineData(ContextQuadrant.BottomRight, 105)]
    public void Quarter_ThatIsNamed_IsAlwaysTheContext(ContextQuadrant quadrant, long first)
    {
        var masks = new MaskSampler(new RasterizedMaskingOptions { Grid = Fourteen, Context = quadrant }).Sample(1, 0, 50);
        for (var image = 0; image < masks.Batch; image++) Assert.Equal(first, masks.Context(0, image)[0]);
    }

    /// <summary>0.6 of the grid, int(0.6 N) patches, with both sides rounded: worked out by hand for aspects from 0.75 to 1.5.</summary>
    [Theory]
    [InlineData(14, "9x12 10x11 10x12 11x10 11x11 12x9 12x10 13x9")]
    [InlineData(8, "5x7 6x6 6x7 7x5 7x6 8x5")]
    public void Blocks_OfAGrid_HaveTheSizesThatRoundingGives(int side, string sizes)
    {
        var options = new BlockMaskingOptions { Grid = new PatchGrid(side, side) };
        var drawn = DrawnBlocks(options, 3000, batch: 1).Select(b => $"{b.Height}x{b.Width}").Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(sizes.Split(' ').Order(StringComparer.Ordinal), drawn);
        var told = new BlockRule(options).Sizes().Select(s => $"{s.Height}x{s.Width}").Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(sizes.Split(' ').Order(StringComparer.Ordinal), told);
    }

    [Fact]
    public void Blocks_OfABatch_HaveOneSizeAndEveryPlace()
    {
        var blocks = DrawnBlocks(new BlockMaskingOptions { Grid = Eight }, 200, batch: 32).ToArray();
        foreach (var batch in blocks.Chunk(32)) Assert.Single(batch.Select(b => (b.Height, b.Width)).Distinct());
        foreach (var size in blocks.GroupBy(b => (b.Height, b.Width)))
            Assert.Equal((8 - size.Key.Height + 1) * (8 - size.Key.Width + 1), size.Select(b => (b.Top, b.Left)).Distinct().Count());
    }

    /// <summary>Where a grid is too short for one side of the block, the other makes up for it.</summary>
    [Theory]
    [InlineData(4, 32)]
    [InlineData(32, 4)]
    public void Block_OnALongGrid_KeepsItsShare(int height, int width)
    {
        var options = new BlockMaskingOptions { Grid = new PatchGrid(height, width) };
        Assert.All(DrawnBlocks(options, 50, batch: 1), b => Assert.InRange((double)b.Count / options.Grid.Count, 0.55, 0.65));
    }

    [Theory]
    [InlineData(14, MaskCompatibility.Paper, 117, 79)]
    [InlineData(14, MaskCompatibility.Reference, 118, 78)]
    [InlineData(8, MaskCompatibility.Paper, 38, 26)]
    [InlineData(8, MaskCompatibility.Reference, 39, 25)]
    public void RandomPatches_OfAGrid_AreSixTenths(int side, MaskCompatibility mode, int target, int context)
    {
        var masks = new MaskSampler(new RandomMaskingOptions { Grid = new PatchGrid(side, side), Compatibility = mode }).Sample(1, 0, 3);
        Assert.Equal((1, target, 1, context), (masks.TargetBlocks, masks.TargetLength, masks.ContextBlocks, masks.ContextLength));
    }

    /// <summary>Of n patches out of N every one is target with n/N, every two with n(n-1)/(N(N-1)).</summary>
    [Fact]
    public void RandomPatches_OverManyImages_AreAnySubset()
    {
        const int Images = 20000;
        var masks = new MaskSampler(new RandomMaskingOptions { Grid = Eight }).Sample(2, 0, Images);
        var (one, two) = (new int[64], new int[64]);
        for (var image = 0; image < Images; image++)
        {
            var map = new bool[64];
            foreach (var patch in masks.Target(0, image)) map[patch] = true;
            for (var patch = 0; patch < 64; patch++)
            {
                if (map[patch]) one[patch]++;
                if (map[patch] && map[(patch + 1) % 64]) two[patch]++;
            }
        }

        Assert.All(one, count => AssertShare(38.0 / 64, count));
        Assert.All(two, count => AssertShare(38.0 * 37 / (64 * 63), count));

        static void AssertShare(double p, int count) => Assert.InRange(count / (double)Images, p - Error(p), p + Error(p));
        static double Error(double p) => 4.5 * Math.Sqrt(p * (1 - p) / Images);
    }

    [Fact]
    public void RandomShare_OfARange_IsDrawnOnceABatch()
    {
        var sampler = new MaskSampler(new RandomMaskingOptions
        {
            Grid = Fourteen,
            TargetShare = new Interval(0.4, 0.6),
            Compatibility = MaskCompatibility.Reference,
        });
        var contexts = Enumerable.Range(0, 2000).Select(step => sampler.Sample(3, step, 2).ContextLength / 196.0).ToArray();
        Assert.InRange(contexts.Min(), 0.4 - (1 / 196.0), 0.41);
        Assert.InRange(contexts.Max(), 0.59, 0.6);
        Assert.Equal(0.5, contexts.Average(), 0.01);
    }

    [Fact]
    public void Masks_OfAnImage_DependOnItsKeyAlone()
    {
        MaskingOptions[] strategies =
        [
            new RasterizedMaskingOptions { Grid = Fourteen }, new BlockMaskingOptions { Grid = Fourteen },
            new RandomMaskingOptions { Grid = Fourteen },
        ];
        foreach (var options in strategies)
        {
            var sampler = new MaskSampler(options);
            var (together, apart) = (sampler.Sample(1, 8, [40, 41, 42]), sampler.Sample(1, 8, [42, 7]));
            Assert.Equal(together.Target(0, 2), apart.Target(0, 0));
            Assert.Equal(together.Context(0, 2), apart.Context(0, 0));
            Assert.NotEqual(sampler.Sample(1, 8, 16).Context(0), sampler.Sample(1, 9, 16).Context(0));
            Assert.NotEqual(sampler.Sample(1, 8, 16).Context(0), sampler.Sample(2, 8, 16).Context(0));
        }
    }

    [Theory]
    [InlineData(15, 15, "a grid of 14x14 or 16x16 works")]
    [InlineData(13, 20, "a grid of 12x18 or 14x22 works")]
    [InlineData(6, 6, "works is 8x8:")]
    public void Quarters_OfAGridThatHasNone_AreRefusedWithOnesThatHave(int height, int width, string said)
    {
        var options = new RasterizedMaskingOptions { Grid = new PatchGrid(height, width) };
        Assert.Contains(said, Assert.Throws<JepaException>(() => new MaskSampler(options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Target_ThatLeavesTooLittle_IsRefusedInWords()
    {
        MaskingOptions block = new BlockMaskingOptions { Grid = Eight, MinKeep = 23 },
            random = new RandomMaskingOptions { Grid = Eight, MinKeep = 27 };
        Assert.Contains("leaves 22 of 64 as context, fewer than min_keep = 23", Assert.Single(block.Problems()), StringComparison.Ordinal);
        Assert.Contains("can be 38 of 64 patches, which leaves 26", Assert.Single(random.Problems()), StringComparison.Ordinal);
        Assert.Empty((block with { MinKeep = 22 }).Problems());
        Assert.Empty((random with { MinKeep = 26 }).Problems());
    }

    private static IEnumerable<PatchBlock> DrawnBlocks(BlockMaskingOptions options, int batches, int batch)
    {
        var sampler = new MaskSampler(options);
        for (var step = 0; step < batches; step++)
        {
            var masks = sampler.Sample(4, step, batch);
            for (var image = 0; image < batch; image++)
            {
                var patches = masks.Target(0, image);
                int top = masks.Grid.RowOf(patches[0]), left = masks.Grid.ColumnOf(patches[0]);
                var block = new PatchBlock(top, left, masks.Grid.RowOf(patches[^1]) - top + 1, masks.Grid.ColumnOf(patches[^1]) - left + 1);
                Assert.Equal(block.Indices(masks.Grid), patches.ToArray());
                yield return block;
            }
        }
    }
}
