using JepaSharp.Masking;

namespace JepaSharp.Tests.Masking;

/// <summary>How many images are cut to one length is a setting, not a matter of the batch.</summary>
public sealed class MaskGroupsTests
{
    private static readonly PatchGrid Fourteen = new(14, 14);

    public static TheoryData<MaskingOptions> Strategies =>
    [
        new MultiBlockMaskingOptions { Grid = Fourteen }, new MultiBlockMaskingOptions { Grid = Fourteen, ContextBlocks = 2 },
        new MultiBlockMaskingOptions { Grid = Fourteen, Compatibility = MaskCompatibility.Reference },
        new RasterizedMaskingOptions { Grid = Fourteen }, new BlockMaskingOptions { Grid = Fourteen }, new RandomMaskingOptions { Grid = Fourteen },
    ];

    [Theory]
    [MemberData(nameof(Strategies))]
    public void Masks_OfTheNthImage_AreTheSameWhateverTheBatch(MaskingOptions options)
    {
        var whole = RowOf(options, 16);
        Assert.Equal(48, whole.Count);
        foreach (var batch in (int[])[1, 2, 8]) Assert.Equal(whole, RowOf(options, batch));

        static List<string> RowOf(MaskingOptions options, int batch)
        {
            var groups = new MaskGroups(new MaskSampler(options), images: 16, batch);
            var row = new List<string>();
            for (var microBatch = 0; microBatch < 48 / batch; microBatch++)
            {
                // Indices in the source say nothing here.
                var masks = groups.Sample(5, microBatch, new long[batch]);
                for (var image = 0; image < batch; image++)
                {
                    var contexts = Enumerable.Range(0, masks.ContextBlocks).Select(c => string.Join(' ', masks.Context(c, image).ToArray()));
                    var targets = Enumerable.Range(0, masks.TargetBlocks).Select(t => string.Join(' ', masks.Target(t, image).ToArray()));
                    row.Add($"{string.Join('|', contexts)} -> {string.Join('|', targets)}");
                }
            }

            return row;
        }
    }

    [Fact]
    public void Lengths_OfAGroup_AreOneAndThoseOfGroupsDiffer()
    {
        var groups = new MaskGroups(new MaskSampler(new MultiBlockMaskingOptions { Grid = Fourteen }), images: 32, batch: 4);
        var lengths = Enumerable.Range(0, 80).Select(m => groups.Sample(1, m, new long[4]).ContextLength).Chunk(8).ToArray();
        Assert.All(lengths, group => Assert.Single(group.Distinct()));
        Assert.True(lengths.Select(group => group[0]).Distinct().Count() > 3);
    }

    /// <summary>Shares measured with the published sampler on 14x14 patches; as the paper's text has it, one image keeps 0.46.</summary>
    [Theory]
    [InlineData(MaskCompatibility.Reference, 1, 0.420)]
    [InlineData(MaskCompatibility.Reference, 16, 0.305)]
    [InlineData(MaskCompatibility.Reference, 64, 0.270)]
    [InlineData(MaskCompatibility.Reference, 128, 0.256)]
    [InlineData(MaskCompatibility.Paper, 1, 0.461)]
    public void Context_OfMoreImages_IsShorterAsRecorded(MaskCompatibility mode, int images, double share)
    {
        var groups = new MaskGroups(new MaskSampler(new MultiBlockMaskingOptions { Grid = Fourteen, Compatibility = mode }), images, batch: 1);
        var drawn = Enumerable.Range(0, 600).Average(group => groups.Sample(2, (long)group * images, [0]).ContextLength / 196.0);
        Assert.Equal(share, drawn, 0.012);
    }

    [Fact]
    public void Masks_OutsideARun_BelongToAFullGroupAndAreKeyedByImage()
    {
        var sampler = new MaskSampler(new MultiBlockMaskingOptions { Grid = Fourteen });
        var groups = new MaskGroups(sampler, images: 64, batch: 8);
        var (first, second) = (groups.Sample(1, -1, [7, 8]), groups.Sample(1, -1, [8, 7]));
        Assert.Equal(first.Target(0, 0), second.Target(0, 1));
        Assert.True(first.ContextLength < sampler.Sample(1, -1, [7, 8]).ContextLength);
        // More images than a group has are cut to the shortest of themselves.
        long[] many = [.. Enumerable.Range(0, 100).Select(i => (long)i)];
        Assert.Equal(sampler.Sample(1, -1, many).Context(0), groups.Sample(1, -1, many).Context(0));
    }

    [Theory]
    [InlineData(0, 4)]
    [InlineData(6, 4)]
    [InlineData(2, 4)]
    public void Group_ThatBatchesDoNotFill_CannotBeBuilt(int images, int batch) => Assert.Throws<ArgumentException>(
        () => new MaskGroups(new MaskSampler(new MultiBlockMaskingOptions { Grid = Fourteen }), images, batch));
}
