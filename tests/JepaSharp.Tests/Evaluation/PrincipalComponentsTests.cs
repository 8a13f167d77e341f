using JepaSharp.Evaluation;

namespace JepaSharp.Tests.Evaluation;

public sealed class PrincipalComponentsTests
{
    [Fact]
    public void Components_OfPointsOnTiltedAxes_AreTheAxesWithTheirVariances()
    {
        // Four points at +-5 along (3, 4) / 5 and +-2 along (-4, 3) / 5, around (10, 20): variances 25 * 2 / 4 and 4 * 2 / 4.
        var components = PrincipalComponents.Fit(new FeatureMatrix(4, 2, [13, 24, 7, 16, 8.4f, 21.2f, 11.6f, 18.8f]), 2);
        Assert.Equal([12.5, 2.0], components.Variances.Select(v => Math.Round(v, 5)));
        Assert.Equal([0.6, 0.8], components.Axis(0).ToArray().Select(v => Math.Round(v, 5)));
        Assert.Equal([0.8, -0.6], components.Axis(1).ToArray().Select(v => Math.Round(v, 5)));
        Assert.Equal([5.0, 0.0], components.Project([13, 24]).Select(v => Math.Round(v, 5) + 0.0));
    }

    [Fact]
    public void Components_OfMoreFeaturesThanAreAskedFor_KnowTheWholeVariance()
    {
        var features = Synthetic.Noise(200, 7, 3);
        var all = PrincipalComponents.Fit(features, 7);
        var three = PrincipalComponents.Fit(features, 3);
        Assert.Equal(all.Variances.Take(3), three.Variances);
        Assert.Equal(all.Variances.Sum(), three.TotalVariance, 9);
        Assert.True(all.Variances.SequenceEqual(all.Variances.OrderDescending()));
        for (var a = 0; a < 7; a++)
            for (var b = 0; b < 7; b++)
                Assert.Equal(a == b ? 1 : 0, all.Axis(a).ToArray().Zip(all.Axis(b).ToArray(), (x, y) => x * y).Sum(), 9);
    }

    [Fact]
    public void Components_OfEqualRows_HaveNoVariance()
    {
        var components = PrincipalComponents.Fit(new FeatureMatrix(3, 2, [1, 2, 1, 2, 1, 2]), 2);
        Assert.Equal([0.0, 0.0], components.Variances);
        Assert.Equal(0, components.TotalVariance);
    }
}
