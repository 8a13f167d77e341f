using JepaSharp.Masking;

namespace JepaSharp.Tests.Masking;

public sealed class MaskBatchTests
{
    private static readonly PatchGrid Grid = new(2, 3);

    [Fact]
    public void MaskBatch_OfGoodMasks_KnowsItsShape()
    {
        var masks = new MaskBatch(Grid, 2, [[0, 1, 2, 3]], [[4, 1], [5, 0], [3, 3]]);
        Assert.Equal((2, 1, 3, 2, 1), (masks.Batch, masks.ContextBlocks, masks.TargetBlocks, masks.ContextLength, masks.TargetLength));
        Assert.Equal([2, 3], masks.Context(0, 1).ToArray());
        Assert.Equal([5, 0], masks.Target(1).ToArray());
    }

    public static TheoryData<long[], string> Bad => new()
    {
        { [0, 1, 3, 2], "ascending" },
        { [0, 0, 2, 3], "ascending" },
        { [0, 1, 2, 6], "0 to 5" },
        { [-1, 1, 2, 3], "ascending" },
        { [0, 1, 2], "indices" },
        { [], "indices" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void MaskBatch_OfABadMask_CannotBeBuilt(long[] mask, string said)
    {
        Assert.Contains(said, Assert.Throws<ArgumentException>(() => new MaskBatch(Grid, 2, [mask], [[0, 1]])).Message, StringComparison.Ordinal);
        Assert.Contains(said, Assert.Throws<ArgumentException>(() => new MaskBatch(Grid, 2, [[0, 1]], [mask])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MaskBatch_OfUnequalLengthsOrNoBlock_CannotBeBuilt()
    {
        Assert.Throws<ArgumentException>(() => new MaskBatch(Grid, 1, [[0], [0, 1]], [[2]]));
        Assert.Throws<ArgumentException>(() => new MaskBatch(Grid, 1, [], [[2]]));
        Assert.Throws<ArgumentException>(() => new MaskBatch(Grid, 1, [[0]], []));
    }
}
