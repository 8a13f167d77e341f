using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Heads;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Evaluation.Heads;

public sealed class HeadFittingTests
{
    private static readonly IReadOnlyList<HeadMethod> All =
        [.. HeadKinds.OfClasses.Where(kind => kind != HeadKinds.FineTuned).Select(kind => HeadMethod.Frozen(kind, 0))];

    [Fact]
    public void Division_OfLabelledImages_HasNoImageTwiceAndEveryClassEverywhere()
    {
        int[] labels = [.. Enumerable.Range(0, 100).Select(i => i % 4)];
        var division = HeadDivision.Of(labels, 4, 0, null);
        int[][] parts = [division.Fit, division.Choose, division.Score];
        Assert.Equal(Enumerable.Range(0, 100), parts.SelectMany(p => p).Order());
        Assert.All(parts, part => Assert.Equal(4, part.Select(row => labels[row]).Distinct().Count()));
        Assert.Equal((64, 16, 20), (division.Fit.Length, division.Choose.Length, division.Score.Length));
        Assert.Empty(HeadDivision.Of(labels, 4, 0, (7, "others")).Score);
    }

    [Fact]
    public void Division_OfTooFewImages_SaysWhatIsNeeded()
    {
        var mistake = Assert.Throws<JepaException>(() => HeadDivision.Of([0, 0, 1, 1], 2, 0, null));
        Assert.Contains("at most 2 labelled images of a class", mistake.Message, StringComparison.Ordinal);
        Assert.Contains("--test", mistake.Message, StringComparison.Ordinal);
        Assert.NotNull(HeadDivision.Of([0, 0, 1, 1], 2, 0, (4, "others")));
    }

    [Fact]
    public void Head_OfSeparateClouds_IsRightAndSure()
    {
        using var fitted = HeadFitting.OfClasses(Images(300, 3, 6), null, All, 0, cancellation: TestContext.Current.CancellationToken);
        var report = fitted.Report.OfClasses!;
        Assert.Equal(1, report.Accuracy);
        Assert.Equal((240, 48, 60), (fitted.Report.Fitted, fitted.Report.Chose, fitted.Report.Scored));
        Assert.Equal(["linear", "logistic", "knn"], fitted.Report.Tried.Select(t => t.Kind));
        Assert.InRange(report.After.ExpectedError, 0, 0.1);
    }

    [Fact]
    public void Head_OfSeveralKinds_IsTheMostAccurateOnTheImagesThatChoose()
    {
        using var fitted = HeadFitting.OfClasses(Images(300, 3, 1.5), null, All, 0, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(fitted.Report.Tried.Max(t => t.HeldOut), fitted.Report.Tried.Single(t => t.Kind == fitted.Kind).HeldOut);
    }

    /// <summary>Images that score take no part: with other labels, all but the score stays to the bit.</summary>
    [Fact]
    public void ImagesThatScore_WithOtherLabels_ChangeNothingOfTheHead()
    {
        var images = Images(200, 2, 1);
        var labels = images.Set.Labels.ToArray();
        var division = HeadDivision.Of(labels, 2, 0, null);
        using var before = HeadFitting.OfClasses(
            images.Select(division.Kept), images.Select(division.Score), All, 0, cancellation: TestContext.Current.CancellationToken);
        var turned = images.Select(division.Score);
        int[] others = Array.ConvertAll(turned.Set.Labels.ToArray(), label => 1 - label);
        turned = new HeadImages(turned.Images with { Labels = others }, new ClassificationSet(turned.Set.Features, others, 2));
        using var after = HeadFitting.OfClasses(
            images.Select(division.Kept), turned, All, 0, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(before.Model.Outputs.Of(images.Set.Features), after.Model.Outputs.Of(images.Set.Features));
        Assert.Equal((before.Kind, before.Temperature, before.UnsureBelow), (after.Kind, after.Temperature, after.UnsureBelow));
        Assert.Equal(1, before.Report.OfClasses!.Accuracy + after.Report.OfClasses!.Accuracy, 1e-12);
    }

    [Fact]
    public void Head_OfThreeImagesAClass_IsFitted()
    {
        using var fitted = HeadFitting.OfClasses(Images(9, 3, 8), null, All, 0, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal((6, 3, 3), (fitted.Report.Fitted, fitted.Report.Chose, fitted.Report.Scored));
    }

    [Fact]
    public void NumberHead_OfANoisyLine_HasARangeThatHoldsNineOfTen()
    {
        var features = Synthetic.Noise(2000, 5, 1);
        var random = new RandomStream(1, RandomPurpose.Evaluation);
        double[] values = [.. Enumerable.Range(0, 2000).Select(i => (2 * features.Row(i)[0]) - features.Row(i)[3] + (0.5 * random.NextGaussian()))];
        var fitted = HeadFitting.OfNumbers(new RegressionSet(features, values), null, 0);
        Assert.InRange(fitted.Report.OfNumbers!.R2, 0.9, 1);
        Assert.InRange(fitted.Report.OfNumbers!.Inside, 0.86, 0.94);
        Assert.InRange(fitted.Interval, 0.7, 0.95); // 1.64 deviations of 0.5
        Assert.Equal(HeadKinds.Ridge, fitted.Kind);
        Assert.Equal([HeadKinds.Ridge, HeadKinds.Neighbours], fitted.Report.Tried.Select(trial => trial.Kind));
        Assert.InRange(fitted.Highest, 5, values.Max());
        Assert.InRange(fitted.Lowest, values.Min(), -5);
    }

    /// <summary>A wave around a circle, which no line can follow: the mean of the nearest can, and is kept.</summary>
    [Fact]
    public void NumberHead_OfAWave_IsThatOfNeighbours()
    {
        const int Images = 600;
        var features = new float[Images * 2];
        var values = new double[Images];
        for (var i = 0; i < Images; i++)
        {
            var angle = 2 * Math.PI * ((i * 7) % Images) / Images;
            (features[2 * i], features[(2 * i) + 1], values[i]) = ((float)Math.Cos(angle), (float)Math.Sin(angle), Math.Sin(3 * angle));
        }

        var fitted = HeadFitting.OfNumbers(new RegressionSet(new FeatureMatrix(Images, 2, features), values), null, 0);
        Assert.Equal(HeadKinds.Neighbours, fitted.Kind);
        Assert.InRange(fitted.Report.OfNumbers!.R2, 0.95, 1);
        Assert.Equal(fitted.Report.Tried.Max(trial => trial.HeldOut), fitted.Report.Tried[1].HeldOut);
        Assert.Equal((-1, 1), (fitted.Lowest, fitted.Highest), (a, b) => Math.Abs(a.Item1 - b.Item1) + Math.Abs(a.Item2 - b.Item2) < 0.01);
    }

    private static HeadImages Images(int rows, int classes, double distance)
    {
        var set = Synthetic.Clouds(rows, 8, classes, distance, 5);
        return new HeadImages(new LabelledImages(new ScenesSource(1, rows, 16), set.Labels.ToArray(), classes), set);
    }
}
