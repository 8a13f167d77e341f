using System.Reflection;
using CsCheck;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Evaluation;

public sealed class FeatureSetTests
{
    [Fact]
    public void Features_WithNaN_AreRefusedWithTheImage()
    {
        var error = Assert.Throws<JepaException>(() => new FeatureMatrix(2, 2, [1, 2, 3, float.NaN]));
        Assert.Contains("Feature 1 of image 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Features_OfATensor_AreItsValues()
    {
        using var scope = NewDisposeScope();
        var features = FeatureMatrix.FromTensor(tensor([1f, 2, 3, 4, 5, 6], [3, 2]).t().to(ScalarType.BFloat16));
        Assert.Equal((2, 3), (features.Rows, features.Width));
        Assert.Equal([1, 3, 5, 2, 4, 6], features.Values.ToArray());
        Assert.Equal([2, 4, 6, 2, 4, 6], features.Select([1, 1]).Values.ToArray());
    }

    [Fact]
    public void Sets_ThatMakeNoSense_AreRefusedInWords()
    {
        var features = Synthetic.Noise(3, 2, 0);
        Assert.Contains("1 class", Refusal(() => new ClassificationSet(features, [0, 0, 0], 1)), StringComparison.Ordinal);
        Assert.Contains("label 2", Refusal(() => new ClassificationSet(features, [0, 1, 2], 2)), StringComparison.Ordinal);
        Assert.Contains("2 labels for 3", Refusal(() => new ClassificationSet(features, [0, 1], 2)), StringComparison.Ordinal);
        Assert.Contains("2 values for 3", Refusal(() => new RegressionSet(features, [0, 1])), StringComparison.Ordinal);
        Assert.Contains("image 1", Refusal(() => new RegressionSet(features, [0, double.NaN, 1])), StringComparison.Ordinal);
        Assert.Contains("of class 1", Refusal(() => KnnProbe.Fit(new(features, [1, 1, 1], 2))), StringComparison.Ordinal);
        Assert.Contains(
            "fitted on 2", Refusal(() => KnnProbe.Fit(new(features, [1, 0, 1], 2)).Predict(Synthetic.Noise(1, 3, 0))), StringComparison.Ordinal);
        Assert.Contains("single penalty", Refusal(() => RidgeProbe.Fit(new ClassificationSet(features, [0, 1, 2], 3))), StringComparison.Ordinal);

        static string Refusal(Func<object> act)
        {
            var error = Assert.Throws<JepaException>(act);
            Assert.True(error.IsUsage);
            return error.Message;
        }
    }

    [Fact]
    public void Split_OfAnyLabels_IsCompleteDisjointAndByClass()
        => Gen.Select(Gen.Int[0, 3].Array[2, 60], Gen.Double[0.05, 0.6], Gen.ULong)
            .Where(t => t.Item1.GroupBy(x => x).Any(g => g.Count() > 1)).Sample((labels, share, seed) =>
            {
                var split = HeldOutSplit.ByClass(labels, 4, share, seed);
                Assert.Equal(Enumerable.Range(0, labels.Length), split.Fit.Concat(split.HeldOut).Order());
                foreach (var group in Enumerable.Range(0, labels.Length).GroupBy(i => labels[i]))
                {
                    var held = split.HeldOut.Count(i => labels[i] == group.Key);
                    Assert.InRange(held, group.Count() > 1 ? 1 : 0, Math.Max(1, (share * group.Count()) + 0.5));
                    Assert.True(held < group.Count());
                }
            });

    /// <summary>A leak from test to fit is impossible if no way to fit takes more than one set, and no fitted probe can be fitted again.</summary>
    [Fact]
    public void Fit_OfEveryProbe_TakesOneSetAndOptionsOnly()
    {
        var fits = typeof(RidgeProbe).Assembly.GetExportedTypes().Where(type => type.Namespace == typeof(RidgeProbe).Namespace)
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance))
            .Where(method => method.Name == "Fit").ToArray();
        Assert.Equal(7, fits.Length);
        Assert.All(fits, fit =>
        {
            Assert.True(fit.IsStatic);
            Assert.Single(fit.GetParameters(), p => p.ParameterType == typeof(ClassificationSet) || p.ParameterType == typeof(RegressionSet));
            Assert.DoesNotContain(fit.GetParameters(), p => p.ParameterType == typeof(FeatureMatrix));
        });
    }

    [Fact]
    public void ClassificationScore_WithAClassAbsent_AveragesTheOthers()
        => Assert.Equal(new ClassificationScore(0.75, (1 + (1 / 2.0)) / 2, 4, 2), ClassificationScore.Of([0, 0, 2, 1], [0, 0, 2, 2], 3));

    [Fact]
    public void RegressionScore_OfKnownErrors_IsAsWrittenDown()
    {
        var score = RegressionScore.Of([1.2, 2.4, 2.4], [1, 2, 3]);
        Assert.Equal(1 - (0.56 / 2), score.R2, 12);
        Assert.Equal(1.2 / 3, score.MeanAbsoluteError, 12);
        Assert.Equal(Math.Sqrt(0.56 / 3), score.RootMeanSquareError, 12);
        Assert.Equal(2 / 3.0, score.RoundedAccuracy, 12);
        Assert.Equal(0, RegressionScore.Of([2, 2, 2], [1, 2, 3]).R2, 12);
    }
}
