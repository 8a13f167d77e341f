using JepaSharp.Evaluation.Drawing;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Evaluation.Drawing;

public sealed class DrawingStatisticsTests
{
    private const int Numbers = 12, Each = 3;

    /// <summary>Against the textbook: every pair of a picture and a truth apart.</summary>
    [Fact]
    public void Correlations_AreTheMeanOverPicturesOfPearsons()
    {
        const int count = 4;
        var (drawn, truths, mean) = Random(count, seed: 1);
        var scores = DrawingScores.Correlations(drawn, truths, mean);
        for (var j = 0; j < count; j++)
        {
            for (var i = 0; i < count; i++)
            {
                var expected = Enumerable.Range(0, Each).Average(s => Pearson(
                    [.. drawn[j, s].ToArray().Zip(mean, (a, b) => (double)a - b)],
                    [.. truths.Skip(i * Numbers).Take(Numbers).Zip(mean, (a, b) => (double)a - b)]));
                Assert.Equal(expected, scores[j, i], 1e-9);
            }
        }
    }

    [Fact]
    public void Cosines_AreThoseOfStandardisedNumbers()
    {
        var drawn = new DrawnPictures(2, 1, [3, 0, 1, 4]);
        // Standardised: (1, 0), (0, 1) and true (1, 0), (1, 1).
        var scores = DrawingScores.Cosines(drawn, [3, 0, 3, 4], mean: [1, 0], deviation: [2, 4]);
        Assert.Equal([1, Math.Sqrt(0.5), 0, Math.Sqrt(0.5)], scores.Cast<double>(), (a, b) => Math.Abs(a - b) < 1e-9);
    }

    [Fact]
    public void Agreement_OfScores_IsOwnLessOthers_WithItsError()
    {
        double[,] scores = { { 0.9, 0.2, 0.1 }, { 0.3, 0.5, 0.1 }, { 0.1, 0.6, 0.4 } };
        var agreement = DrawingAgreement.Of(scores, seed: 0);
        double[] gains = [0.9 - 0.2, 0.5 - 0.4, 0.4 - 0.1];
        Assert.Equal(gains, agreement.Gains, (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Equal(gains.Average(), agreement.Mean, 1e-12);
        var squares = gains.Sum(g => Math.Pow(g - gains.Average(), 2));
        Assert.Equal(Math.Sqrt(squares / 2 / 3), agreement.Error, 1e-12);
        // The third finds the second's picture nearer than its own.
        Assert.Equal(2.0 / 3, agreement.First, 1e-12);
        Assert.Equal(0.6, agreement.Own, 1e-12);
        // Of six permutations the identity alone reaches it.
        Assert.InRange(agreement.Chance, 0.14, 0.19);
    }

    /// <summary>Representations that say nothing of their pictures agree with them by nothing but chance, however many pictures are drawn.</summary>
    [Fact]
    public void Agreement_OfRepresentationsThatTellNothing_IsNothing()
    {
        const int count = 60;
        var (drawn, truths, mean) = Random(count, seed: 2);
        var agreement = DrawingAgreement.Of(DrawingScores.Correlations(drawn, truths, mean), seed: 0, permutations: 2000);
        Assert.True(Math.Abs(agreement.Mean) < 3 * agreement.Error, $"{agreement.Mean} ± {agreement.Error}");
        Assert.InRange(agreement.Chance, 0.01, 0.999);
        Assert.True(agreement.First < 0.15);
    }

    [Fact]
    public void Agreement_OfPicturesLikeTheirTruths_IsClear_AndRare()
    {
        const int count = 30;
        var random = new RandomStream(3, RandomPurpose.Evaluation);
        var truths = new float[count * Numbers];
        for (var i = 0; i < truths.Length; i++) truths[i] = (float)random.NextGaussian();
        var values = new float[count * Each * Numbers];
        for (var i = 0; i < values.Length; i++)
            values[i] = truths[(i / (Each * Numbers) * Numbers) + (i % Numbers)] + (float)(0.3 * random.NextGaussian());
        var agreement = DrawingAgreement.Of(
            DrawingScores.Correlations(new DrawnPictures(count, Each, values), truths, new float[Numbers]), seed: 0, permutations: 999);
        Assert.True(agreement.Mean > 0.7 && agreement.First > 0.9);
        Assert.Equal(1.0 / 1000, agreement.Chance, 1e-12);
    }

    [Fact]
    public void PairedMean_OfADifference_IsSmallerThanItsPartsWhereTheyMoveTogether()
    {
        double[] a = [1.1, 2.1, 3.1, 4.2], b = [1, 2, 3, 4];
        var paired = PairedMean.Of(a, b);
        Assert.Equal(0.125, paired.Mean, 1e-12);
        Assert.True(paired.Error < PairedMean.Of(a).Error / 10);
        Assert.True(double.IsNaN(PairedMean.Of([1.0]).Error));
        Assert.Throws<ArgumentException>(() => PairedMean.Of(a, [1]));
    }

    /// <summary>Of a + b, a by representation and b by noise, both drawn: what is left within is b's share, although all have the same
    /// noises.</summary>
    [Theory]
    [InlineData(0.0, 1.0)]
    [InlineData(1.0, 0.0)]
    [InlineData(1.0, 1.0)]
    [InlineData(2.0, 1.0)]
    public void Spread_OfPicturesFromSharedNoises_IsTheNoisesShare(double byRepresentation, double byNoise)
    {
        const int count = 400, each = 8, places = 16;
        var random = new RandomStream(4, RandomPurpose.Evaluation);
        var shares = new double[40];
        for (var turn = 0; turn < shares.Length; turn++)
        {
            double[] Draw(int n, double scale) => [.. Enumerable.Range(0, n * places * 3).Select(_ => scale * random.NextGaussian())];
            var (a, b) = (Draw(count / 20, byRepresentation), Draw(each, byNoise));
            var values = new float[count / 20 * each * places * 3];
            for (var i = 0; i < values.Length; i++)
                values[i] = (float)(a[(i / (each * places * 3) * places * 3) + (i % (places * 3))] + b[i % (each * places * 3)]);
            var spread = DrawingSpread.Of(new DrawnPictures(count / 20, each, values), channels: 3);
            Assert.Equal(places, spread.Map.Length);
            shares[turn] = spread.Share;
        }

        var expected = byNoise * byNoise / ((byNoise * byNoise) + (byRepresentation * byRepresentation));
        Assert.Equal(expected, shares.Average(), 0.03);
    }

    /// <summary>Against every pair of pictures of another representation and another noise.</summary>
    [Fact]
    public void Spread_InClosedForm_IsThatOfAllPairs()
    {
        var (drawn, _, _) = Random(5, seed: 6);
        double within = 0, all = 0;
        var pairs = 0;
        for (var p = 0; p < Numbers; p++)
        {
            for (var i = 0; i < 5; i++)
            {
                double[] own = [.. Enumerable.Range(0, Each).Select(s => (double)drawn[i, s][p])];
                within += own.Sum(x => Math.Pow(x - own.Average(), 2)) / (Each - 1) / 5;
                for (var j = 0; j < 5; j++)
                    for (var s = 0; s < Each; s++)
                        for (var t = 0; t < Each; t++)
                        {
                            if (i == j || s == t) continue;
                            all += Math.Pow(drawn[i, s][p] - drawn[j, t][p], 2) / 2;
                            if (p == 0) pairs++;
                        }
            }
        }

        Assert.Equal(within / (all / pairs), DrawingSpread.Of(drawn, channels: 3).Share, 1e-6);
    }

    [Fact]
    public void RandomFilters_OfPictures_AreTheSameEveryTime_AndTellPicturesApart()
    {
        using var scope = NewDisposeScope();
        var pictures = arange(2 * 3 * 32 * 32, float32).mul(0.37).sin().view(2, 3, 32, 32);
        var features = RandomFilterFeatures.Of(pictures, seed: 1);
        Assert.Equal([2L, 32 * 16 * 3], features.shape);
        Assert.True(features.Equals(RandomFilterFeatures.Of(pictures, seed: 1)));
        Assert.False(features.Equals(RandomFilterFeatures.Of(pictures, seed: 2)));
        // Filters have no mean: a plain picture is nothing to them, but for its border.
        var plain = RandomFilterFeatures.Of(ones(1, 3, 32, 32), seed: 1).view(3, 32, 4, 4);
        Assert.True(plain[0].narrow(1, 1, 2).narrow(2, 1, 2).abs().max().item<float>() < 1e-4);
    }

    private static (DrawnPictures Drawn, float[] Truths, float[] Mean) Random(int count, ulong seed)
    {
        var random = new RandomStream(seed, RandomPurpose.Evaluation);
        float[] Draw(int n) => [.. Enumerable.Range(0, n).Select(_ => (float)random.NextGaussian())];
        return (new DrawnPictures(count, Each, Draw(count * Each * Numbers)), Draw(count * Numbers), Draw(Numbers));
    }

    private static double Pearson(double[] a, double[] b)
    {
        var (ma, mb) = (a.Average(), b.Average());
        return a.Zip(b, (x, y) => (x - ma) * (y - mb)).Sum()
            / Math.Sqrt(a.Sum(x => Math.Pow(x - ma, 2)) * b.Sum(y => Math.Pow(y - mb, 2)));
    }
}
