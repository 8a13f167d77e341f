using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Features;

namespace JepaSharp.Tests.Evaluation.Features;

public sealed class JoinedFeaturesTests
{
    [Fact]
    public void Of_KindsOfAnotherSize_StandardisesByTheFitImagesAndGivesBothTheSameSay()
    {
        // One feature of 0 and 2 (mean 1, deviation 1); two of which the second never changes.
        var one = (Fit: Of(1, 0, 2), Test: Of(1, 4));
        var other = (Fit: Of(2, 10, 7, 30, 7), Test: Of(2, 20, 9));
        var (fit, test) = JoinedFeatures.Of(one, other);
        var half = (float)(1 / Math.Sqrt(2));
        Assert.Equal([-1, -half, 0, 1, half, 0], fit.Matrix.Values.ToArray());
        Assert.Equal([3, 0, 0], test.Matrix.Values.ToArray());
        Assert.Equal(one.Fit.Indices, fit.Indices);
    }

    [Fact]
    public void Of_OtherImages_IsRefused()
    {
        var one = (Fit: Of(1, 0, 2), Test: Of(1, 4));
        var other = (Fit: Of(1, 0, 2) with { Indices = [1, 0] }, one.Test);
        Assert.Throws<ArgumentException>(() => JoinedFeatures.Of(one, other));
    }

    private static PooledFeatures Of(int width, params float[] values) =>
        new(new FeatureMatrix(values.Length / width, width, values), [.. Enumerable.Range(0, values.Length / width)]);
}
