using System.Reflection;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Evaluation.Tasks;

namespace JepaSharp.Tests.Evaluation.Tasks;

/// <summary>Nothing that is fitted or chosen can have seen a test image.</summary>
public sealed class LeakTests
{
    [Theory]
    [InlineData(typeof(TestSet))]
    [InlineData(typeof(RegressionTestSet))]
    public void TestSet_FromOutside_GivesScoresAndCountsOnly(Type sealedSet)
    {
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        Type[] harmless =
            [typeof(int), typeof(int[]), typeof(ClassificationScore), typeof(RegressionScore), typeof(IReadOnlyList<ClassificationScore>)];
        Assert.All(sealedSet.GetMethods(Declared), method => Assert.Contains(method.ReturnType, harmless));
        Assert.All(sealedSet.GetFields(Declared), field => Assert.True(field.IsPrivate));
        Assert.DoesNotContain(
            sealedSet.GetMethods(BindingFlags.Static | BindingFlags.Public), m => m.Name.StartsWith("op_", StringComparison.Ordinal));
    }

    [Fact]
    public void Tasks_WithOtherTestLabels_FitAndChooseTheSame()
    {
        var clouds = Synthetic.Clouds(160, 6, 3, 2, seed: 7);
        var (fit, test) = (clouds.Select([.. Enumerable.Range(0, 100)]), clouds.Select([.. Enumerable.Range(100, 60)]));
        var wrong = new ClassificationSet(test.Features, [.. test.Labels.ToArray().Select(label => (label + 1) % 3)], 3);
        ProbeTask[] tasks =
        [
            LinearModelTask.Linear(new LinearOptions { LeastSteps = 50, Epochs = 1 }), LinearModelTask.Ridge(new RidgeOptions()),
            LinearModelTask.Logistic(new LogisticOptions()),
        ];
        foreach (var task in tasks)
        {
            var (honest, other) =
                (task.Run(new LabelledFeatures("a", fit, new TestSet(test)))[0], task.Run(new LabelledFeatures("a", fit, new TestSet(wrong)))[0]);
            Assert.Equal(honest.Settings, other.Settings);
            Assert.Equal(honest.Trials.Select(t => t.HeldOut), other.Trials.Select(t => t.HeldOut));
            Assert.True(honest.Scores["accuracy"] > 0.6 && other.Scores["accuracy"] < 0.4, task.Name);
        }
    }

    [Fact]
    public void FeatureChoice_AmongKinds_LooksAtHeldOutFitDataAlone()
    {
        static ResultRow Row(double heldOut, double accuracy, bool isBaseline = false) => new()
        {
            Features = "f",
            Probe = "p",
            Scores = new Dictionary<string, double> { ["accuracy"] = accuracy },
            HeldOut = heldOut,
            Kind = isBaseline ? FeatureKind.Untrained : FeatureKind.Encoder,
        };
        Assert.Equal(
            [false, true, false], FeatureChoice.Mark([Row(0.5, 0.9), Row(0.6, 0.1), Row(0.9, 0.9, isBaseline: true)]).Select(r => r.IsChosen));
        Assert.Equal([true, false], FeatureChoice.Mark([Row(0.5, 0.1) with { HeldOut = null }, Row(0.6, 0.9)]).Select(r => r.IsChosen));
    }

    [Fact]
    public void SharedImages_OnBothSides_AreCountedAndRefusedWhereAll()
    {
        var fit = Synthetic.Noise(20, 3, seed: 1);
        var other = Synthetic.Noise(5, 3, seed: 2);
        Assert.Null(SharedImages.Note(fit, other));
        var mixed = new FeatureMatrix(6, 3, [.. other.Values.ToArray(), .. fit.Row(7)]);
        Assert.Contains("1 of 6 test images", SharedImages.Note(fit, mixed), StringComparison.Ordinal);
        Assert.Contains("All 2 test images", Assert.Throws<JepaSharp.Runtime.JepaException>(() => SharedImages.Note(fit, fit.Select([3, 4]))).Message,
            StringComparison.Ordinal);
    }
}
