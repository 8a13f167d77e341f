using JepaSharp.Runtime;

namespace JepaSharp.Tests.Runtime;

public sealed class RandomStreamTests
{
    [Fact]
    public void Streams_OfTheSameKey_AreTheSameAndOfAnyOtherKeyDiffer()
    {
        ulong First(ulong seed = 1, RandomPurpose purpose = RandomPurpose.Order, long epoch = 2, long sample = 3, int rank = 0) =>
            new RandomStream(seed, purpose, epoch, sample, rank).NextUInt64();

        Assert.Equal(First(), First());
        ulong[] others =
        [
            First(), First(seed: 2), First(purpose: RandomPurpose.Augmentation), First(epoch: 3), First(sample: 2), First(rank: 1),
            First(epoch: 3, sample: 2),
        ];
        Assert.Equal(others.Length, others.Distinct().Count());
    }

    /// <summary>A seed means the same numbers for good: changing the generator changes every run.</summary>
    [Fact]
    public void Stream_OfAFixedKey_GivesTheNumbersItAlwaysGave()
    {
        var stream = new RandomStream(42, RandomPurpose.MaskSize, epoch: 7, sample: 11);
        Assert.Equal([FirstNumber, SecondNumber], [stream.NextUInt64(), stream.NextUInt64()]);
    }

    private const ulong FirstNumber = 17487287603517347616;
    private const ulong SecondNumber = 15754836761112696228;

    [Fact]
    public void NextInt_OverManyDraws_IsUniform()
    {
        var stream = new RandomStream(5, RandomPurpose.Evaluation);
        var counts = new int[7];
        for (var i = 0; i < 70_000; i++) counts[stream.NextInt(7)]++;
        // Chi-squared with 6 degrees of freedom: above 22.5 once in a thousand.
        Assert.True(counts.Sum(c => Math.Pow(c - 10_000, 2) / 10_000) < 22.5);
    }

    [Fact]
    public void NextGaussian_OverManyDraws_HasMeanZeroAndDeviationOne()
    {
        var stream = new RandomStream(5, RandomPurpose.Evaluation);
        var drawn = Enumerable.Range(0, 100_000).Select(_ => stream.NextGaussian()).ToArray();
        Assert.Equal(0, drawn.Average(), 0.015);
        Assert.Equal(1, drawn.Average(x => x * x), 0.02);
    }

    [Fact]
    public void Shuffle_OfASpan_IsAPermutation()
    {
        var items = Enumerable.Range(0, 100).ToArray();
        new RandomStream(1, RandomPurpose.Order).Shuffle(items.AsSpan());
        Assert.NotEqual(Enumerable.Range(0, 100), items);
        Assert.Equal(Enumerable.Range(0, 100), items.Order());
    }
}
