using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Measures;

namespace JepaSharp.Tests.Evaluation.Measures;

public sealed class MeasureTests
{
    [Fact]
    public void RankMe_OfAnIdentity_IsItsSize()
    {
        var identity = new float[64];
        for (var i = 0; i < 8; i++) identity[i * 9] = 5;
        Assert.Equal(8, RankMe.Of(new FeatureMatrix(8, 8, identity)), 4);
    }

    [Fact]
    public void RankMe_OfKnownSingularValues_IsTheirEntropy()
    {
        // Singular values 3 and 1: p = 3/4, 1/4.
        var expected = Math.Exp(-((0.75 * Math.Log(0.75)) + (0.25 * Math.Log(0.25))));
        Assert.Equal(expected, RankMe.Of(new FeatureMatrix(3, 2, [3, 0, 0, -1, 0, 0])), 4);
    }

    [Fact]
    public void RankMe_OfACollapsedEncoder_IsOne()
    {
        Assert.Equal(1, RankMe.Of(new FeatureMatrix(4, 3, [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3])), 4);
        Assert.Equal(0, RankMe.Of(new FeatureMatrix(2, 2, [0, 0, 0, 0])));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Lidar_OfScattersAlongAxes_IsTheEntropyOfTheirRatios(bool rotated)
    {
        // Six images at +-s_k e_k, each seen six times at +-w_k e_k from there: B = diag(2 s^2 / 5), W = diag(2 w^2 / 5) + 1e-4 I.
        double[] s = [3, 2, 1], w = [0.5, 0.1, 0.4];
        double[] ratios = [.. s.Zip(w, (a, b) => (2 * a * a / 5) / ((2 * b * b / 5) + 1e-4))];
        var expected = Math.Exp(-ratios.Sum(r => r / ratios.Sum() * Math.Log(r / ratios.Sum())));

        var values = new List<float>();
        for (var image = 0; image < 6; image++)
        {
            for (var view = 0; view < 6; view++)
            {
                var at = new double[3];
                at[image / 2] += s[image / 2] * (1 - (2 * (image % 2)));
                at[view / 2] += w[view / 2] * (1 - (2 * (view % 2)));
                if (rotated) at = [(0.6 * at[0]) - (0.8 * at[1]) + 7, (0.8 * at[0]) + (0.6 * at[1]) - 2, at[2]];
                values.AddRange(at.Select(v => (float)v));
            }
        }

        Assert.Equal(expected, Lidar.Of(new FeatureMatrix(36, 3, [.. values]), 6), 4);
    }

    [Fact]
    public void Lidar_OfViewsThatAreAllAlike_IsTheEntropyOfTheSpreadOfImages()
    {
        // Within an image nothing varies: W = 1e-4 I, and the eigenvalues are those of B, 2 s^2 / 3 for four images at +-s_k e_k, over 1e-4.
        float[] images = [3, 0, -3, 0, 0, 1, 0, -1];
        float[] views = [.. images.Chunk(2).SelectMany(image => Enumerable.Repeat(image, 5)).SelectMany(v => v)];
        var expected = Math.Exp(-((0.9 * Math.Log(0.9)) + (0.1 * Math.Log(0.1))));
        Assert.Equal(expected, Lidar.Of(new FeatureMatrix(20, 2, views), 5), 4);
    }

    [Fact]
    public void RankMe_OfRotatedFeatures_IsTheSame()
    {
        var features = Synthetic.Noise(30, 2, 5, offset: 1);
        float[] turned = [.. Enumerable.Range(0, 30).SelectMany(
            i => new[] { (0.6f * features.Row(i)[0]) - (0.8f * features.Row(i)[1]), (0.8f * features.Row(i)[0]) + (0.6f * features.Row(i)[1]) })];
        Assert.Equal(RankMe.Of(features), RankMe.Of(new FeatureMatrix(30, 2, turned)), 4);
    }

    [Fact]
    public void Lidar_WithoutViews_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => Lidar.Of(Synthetic.Noise(5, 2, 0), 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Lidar.Of(Synthetic.Noise(4, 2, 0), 1));
    }

    [Fact]
    public void CollapseMeasures_OfAnyFeatures_AgreeWithAllPairs()
    {
        var features = Synthetic.Noise(40, 7, 3, offset: 2);
        var measures = CollapseMeasures.Of(features);

        double cosines = 0, deviations = 0;
        for (var i = 0; i < 40; i++)
            for (var j = 0; j < 40; j++)
                if (i != j) cosines += Cosine(features.Row(i), features.Row(j)) / (40 * 39);
        for (var d = 0; d < 7; d++)
        {
            var column = Enumerable.Range(0, 40).Select(i => (double)features.Row(i)[d]).ToArray();
            deviations += Math.Sqrt(column.Average(v => v * v) - (column.Average() * column.Average())) / 7;
        }

        Assert.Equal(cosines, measures.MeanCosine, 9);
        Assert.Equal(deviations, measures.Deviation, 9);
        Assert.Equal(RankMe.Of(features), measures.RankMe);
    }

    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double dot = 0, aa = 0, bb = 0;
        for (var d = 0; d < a.Length; d++) (dot, aa, bb) = (dot + ((double)a[d] * b[d]), aa + ((double)a[d] * a[d]), bb + ((double)b[d] * b[d]));
        return dot / Math.Sqrt(aa * bb);
    }
}
