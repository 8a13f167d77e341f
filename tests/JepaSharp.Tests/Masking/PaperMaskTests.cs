using CsCheck;
using JepaSharp.Masking;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Masking;

/// <summary>What the paper says of its masks, as properties.</summary>
public sealed class PaperMaskTests
{
    private static readonly Gen<MultiBlockMaskingOptions> AnyOptions =
        from height in Gen.Int[2, 20]
        from width in Gen.Int[2, 20]
        from contexts in Gen.Int[1, 3]
        from targets in Gen.Int[1, 6]
        from minKeep in Gen.Int[1, 30]
        from overlap in Gen.Bool
        from mode in Gen.Enum<MaskCompatibility>()
        from targetLow in Gen.Double[0.02, 0.5]
        from targetSpan in Gen.Double[0, 0.2]
        from contextLow in Gen.Double[0.3, 1]
        from aspectLow in Gen.Double[0.3, 1.2]
        select new MultiBlockMaskingOptions
        {
            Grid = new PatchGrid(height, width),
            ContextBlocks = contexts,
            TargetBlocks = targets,
            MinKeep = minKeep,
            AllowOverlap = overlap,
            Compatibility = mode,
            TargetScale = new Interval(targetLow, targetLow + targetSpan),
            ContextScale = new Interval(contextLow, 1),
            TargetAspect = new Interval(aspectLow, 1.6),
        };

    [Fact]
    public void Masks_OfAnyOptions_AreRefusedOrKeepEveryPromise()
        => Gen.Select(AnyOptions, Gen.ULong, Gen.Int[1, 9]).Sample(
            (options, seed, batch) =>
            {
                if (options.Problems().Count > 0)
                {
                    Assert.True(Assert.Throws<JepaException>(() => new MaskSampler(options)).IsUsage);
                    return;
                }

                // Sorted, unique, in range and of equal length: MaskBatch would not be built otherwise.
                var masks = new MaskSampler(options).Sample(seed, 3, batch);
                Assert.Equal((options.ContextBlocks, options.TargetBlocks, batch), (masks.ContextBlocks, masks.TargetBlocks, masks.Batch));
                Assert.True(masks.ContextLength >= options.MinKeep);
                if (options.AllowOverlap || options.Compatibility == MaskCompatibility.Reference) return;
                for (var image = 0; image < batch; image++)
                {
                    var hidden = TargetsOf(masks, image);
                    for (var c = 0; c < masks.ContextBlocks; c++)
                        foreach (var patch in masks.Context(c, image)) Assert.DoesNotContain(patch, hidden);
                }
            },
            iter: 3000);

    [Theory]
    [InlineData(8, 8)]
    [InlineData(14, 14)]
    [InlineData(16, 16)]
    [InlineData(7, 19)]
    public void Targets_OfThePaper_KeepToScaleAndAspect(int height, int width)
    {
        var sampler = Sampler(height, width);
        for (var step = 0; step < 200; step++)
        {
            var masks = sampler.Sample(1, step, 4);
            Assert.InRange((double)masks.TargetLength / masks.Grid.Count, 0.15, 0.2);
            foreach (var block in BlocksOf(masks))
            {
                Assert.Equal(masks.TargetLength, block.Count);
                Assert.InRange((double)block.Height / block.Width, 0.75, 1.5);
            }
        }
    }

    [Fact]
    public void Masks_OfThePaper_ReachEveryPatch()
    {
        var sampler = Sampler(14, 14);
        var (context, targets) = (new int[196], new int[196]);
        for (var step = 0; step < 50; step++)
        {
            var masks = sampler.Sample(2, step, 32);
            foreach (var patch in masks.Context(0).Span) context[patch]++;
            for (var t = 0; t < 4; t++)
                foreach (var patch in masks.Target(t).Span) targets[patch]++;
        }

        Assert.DoesNotContain(0, context);
        Assert.DoesNotContain(0, targets);
    }

    /// <summary>Cutting to equal length must favour no part of the image: the grid turned by half a turn looks the same.</summary>
    [Fact]
    public void Context_OfThePaper_IsTheSameUpsideDown()
    {
        const int Batches = 400;
        var sampler = Sampler(14, 14);
        var rows = new double[14];
        var columns = new double[14];
        for (var step = 0; step < Batches; step++)
        {
            foreach (var patch in sampler.Sample(3, step, 64).Context(0).Span)
            {
                rows[patch / 14] += 1.0 / (Batches * 64 * 14);
                columns[patch % 14] += 1.0 / (Batches * 64 * 14);
            }
        }

        for (var i = 0; i < 7; i++)
        {
            Assert.Equal(rows[i], rows[13 - i], 0.02);
            Assert.Equal(columns[i], columns[13 - i], 0.02);
        }
    }

    [Fact]
    public void ScaleAndAspect_OfThePaper_AreDrawnApart()
    {
        // With one number for both, a larger block would always be a taller one.
        var sampler = Sampler(28, 28);
        var shapes = Enumerable.Range(0, 400).Select(step => BlocksOf(sampler.Sample(5, step, 1))[0]).ToArray();
        var scale = shapes.Select(s => (double)s.Count).ToArray();
        var aspect = shapes.Select(s => (double)s.Height / s.Width).ToArray();
        Assert.InRange(Correlation(scale, aspect), -0.2, 0.2);
    }

    [Theory]
    [InlineData(MaskCompatibility.Paper)]
    [InlineData(MaskCompatibility.Reference)]
    public void Blocks_OfABatch_HaveOneSizeAndTheirOwnPlaces(MaskCompatibility mode)
    {
        var sampler = new MaskSampler(new MultiBlockMaskingOptions { Grid = new PatchGrid(14, 14), Compatibility = mode });
        var perStep = Enumerable.Range(0, 50).Select(step => BlocksOf(sampler.Sample(6, step, 8))).ToArray();
        foreach (var blocks in perStep) Assert.Single(blocks.Select(block => (block.Height, block.Width)).Distinct());
        Assert.True(perStep.Select(blocks => (blocks[0].Height, blocks[0].Width)).Distinct().Count() > 3);
        foreach (var blocks in perStep) Assert.True(blocks.Select(block => (block.Top, block.Left)).Distinct().Count() > 8);
    }

    [Fact]
    public void Context_OfThePaper_CoversTheStatedShareOfTheGrid()
    {
        var sampler = new MaskSampler(new MultiBlockMaskingOptions { Grid = new PatchGrid(16, 16), AllowOverlap = true });
        var lengths = Enumerable.Range(0, 200).Select(step => sampler.Sample(4, step, 2).ContextLength).ToHashSet();
        Assert.Equal([15 * 15, 16 * 16], lengths.Order());
    }

    [Theory]
    [InlineData(MaskCompatibility.Paper, 14 * 14)]
    [InlineData(MaskCompatibility.Reference, 13 * 13)]
    public void Context_OfTheWholeGrid_IsCappedAsTheModeSays(MaskCompatibility mode, int patches)
    {
        var sampler = new MaskSampler(new MultiBlockMaskingOptions
        {
            Grid = new PatchGrid(14, 14),
            ContextScale = new Interval(1, 1),
            AllowOverlap = true,
            Compatibility = mode,
        });
        Assert.All(Enumerable.Range(0, 20), step => Assert.Equal(patches, sampler.Sample(4, step, 2).ContextLength));
    }

    [Fact]
    public void Sizes_WithNoneInRange_AreTheNearestOnes()
    {
        Assert.Equal([new BlockSize(8, 14)], AdmissibleSizes.Of(new PatchGrid(8, 16), new Interval(0.85, 1), new Interval(1, 1)));
        Assert.Equal([new BlockSize(2, 2)], AdmissibleSizes.Of(new PatchGrid(4, 4), new Interval(0.15, 0.2), new Interval(0.75, 1.5)));
        Assert.Equal(
            [new BlockSize(3, 4), new BlockSize(4, 3)], AdmissibleSizes.Of(new PatchGrid(8, 8), new Interval(0.15, 0.2), new Interval(0.75, 1.5)));
    }

    private static MaskSampler Sampler(int height, int width) => new(new MultiBlockMaskingOptions { Grid = new PatchGrid(height, width) });

    private static HashSet<long> TargetsOf(MaskBatch masks, int image)
    {
        var patches = new HashSet<long>();
        for (var t = 0; t < masks.TargetBlocks; t++)
            foreach (var patch in masks.Target(t, image)) patches.Add(patch);
        return patches;
    }

    private static PatchBlock[] BlocksOf(MaskBatch masks)
    {
        var blocks = new List<PatchBlock>();
        for (var image = 0; image < masks.Batch; image++)
        {
            for (var t = 0; t < masks.TargetBlocks; t++)
            {
                var patches = masks.Target(t, image);
                int top = masks.Grid.RowOf(patches[0]), left = masks.Grid.ColumnOf(patches[0]);
                var block = new PatchBlock(top, left, masks.Grid.RowOf(patches[^1]) - top + 1, masks.Grid.ColumnOf(patches[^1]) - left + 1);
                Assert.Equal(block.Indices(masks.Grid), patches.ToArray());
                blocks.Add(block);
            }
        }

        return [.. blocks];
    }

    private static double Correlation(double[] x, double[] y)
    {
        double meanX = x.Average(), meanY = y.Average();
        var covariance = x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Sum();
        return covariance / Math.Sqrt(x.Sum(a => (a - meanX) * (a - meanX)) * y.Sum(b => (b - meanY) * (b - meanY)));
    }
}
