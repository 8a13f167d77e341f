using System.Text;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Runtime.Collectives;

public sealed class CollectiveTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Gather_OfTextsOfAnyLength_GivesEveryRankAllInOrder(int size)
    {
        string Of(int rank) => new('x', 7 * rank);
        var told = size == 1
            ? [Collective.Alone.Gather([])]
            : ThreadRanks.All(size, ranks => ranks.Gather(Encoding.UTF8.GetBytes(Of(ranks.Rank))));
        foreach (var all in told) Assert.Equal(Enumerable.Range(0, size).Select(Of), all.Select(b => Encoding.UTF8.GetString(b)));
    }

    [Fact]
    public void Share_OfTheFirst_ReachesAll()
    {
        Assert.Equal(["all the same", "all the same", "all the same"],
            ThreadRanks.All(3, ranks => ranks.Share(ranks.IsFirst ? "all the same" : null)));
        Assert.Equal("alone", Collective.Alone.Share("alone"));
    }

    [Fact]
    public void Collect_ReachesTheFirstAlone()
    {
        var told = ThreadRanks.All(3, ranks => ranks.Collect([(byte)ranks.Rank, 9])?.SelectMany(b => b).ToArray() ?? []);
        Assert.Equal([0, 9, 1, 9, 2, 9], told[0]);
        Assert.Empty(told[1]);
    }

    [Fact]
    public void Sum_OfTensors_AddsInTheOrderOfTheRanks()
    {
        // In another order the small ones would survive.
        float[] parts = [1e8f, 3, -1e8f, 5];
        var sums = ThreadRanks.All(4, ranks =>
        {
            using var scope = NewDisposeScope();
            var (own, more) = (full([3], parts[ranks.Rank]), arange(5, float32));
            ranks.Sum([own, more]);
            return (own.data<float>().ToArray(), more.data<float>().ToArray());
        });
        var expected = ((parts[0] + parts[1]) + parts[2]) + parts[3];
        foreach (var (own, more) in sums)
        {
            Assert.Equal([expected, expected, expected], own);
            Assert.Equal([0, 4, 8, 12, 16], more);
        }
    }

    [Fact]
    public void Tensors_Shared_AreThoseOfTheFirst_WhateverTheirType()
    {
        var found = ThreadRanks.All(2, ranks =>
        {
            using var scope = NewDisposeScope();
            var (numbers, counts) = (full([2, 2], ranks.Rank + 0.5f), full([3], (long)ranks.Rank + 7, int64));
            ranks.ShareTensors([numbers, counts]);
            return (numbers.data<float>().ToArray(), counts.data<long>().ToArray());
        });
        foreach (var (numbers, counts) in found)
        {
            Assert.Equal([0.5f, 0.5f, 0.5f, 0.5f], numbers);
            Assert.Equal([7, 7, 7], counts);
        }
    }

    [Fact]
    public void Rank_ThatFails_IsHeardByAll_WhereverTheyWait()
    {
        var ends = ThreadRanks.Run(3, ranks =>
        {
            if (ranks.Rank == 1) throw new JepaException("The disk is full.", isUsage: true);
            return ranks.Share(ranks.IsFirst ? "never" : null);
        });
        foreach (var rank in (int[])[0, 2])
        {
            var heard = Assert.IsType<RankFailedException>(ends[rank].Failure);
            Assert.Equal("rank 1 on machine0 (process 1001): The disk is full.", heard.Message);
            Assert.Equal((1, true), (heard.Rank, heard.IsUsage));
        }
    }

    [Fact]
    public void Ranks_ThatWentDifferentWays_SaySoInsteadOfWaiting()
    {
        var ends = ThreadRanks.Run(2, ranks => ranks.IsFirst ? ranks.Share("a").Length : ranks.Gather([1]).Count);
        Assert.All(ends, end => Assert.Contains("different ways: rank 0 is at Share", end.Failure!.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Ranks_ThatHoldOtherAmounts_AreNotAddedUp()
    {
        var ends = ThreadRanks.Run(2, ranks =>
        {
            using var own = zeros([3 + ranks.Rank]);
            ranks.Sum([own]);
            return 0;
        });
        Assert.All(ends, end => Assert.Contains("different amounts: 3, 4", end.Failure!.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Leave_GivesAllTheLargestExitCode_AndIsTheEnd()
    {
        var codes = ThreadRanks.All(3, ranks =>
        {
            var code = ranks.Leave(ranks.Rank == 1 ? 143 : 0);
            _ = Assert.Throws<InvalidOperationException>(() => ranks.Gather([]));
            return code;
        });
        Assert.Equal([143, 143, 143], codes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    public void OrderedSum_OfRows_IsThatOfOneNumberAfterTheOther(int count)
    {
        float[] rows = [.. Enumerable.Range(0, 3 * count).Select(i => (float)Math.Sin(i) * 1000)];
        var sum = new float[count];
        OrderedSum.Of(rows, sum);
        for (var i = 0; i < count; i++) Assert.Equal((rows[i] + rows[count + i]) + rows[(2 * count) + i], sum[i]);
    }
}
