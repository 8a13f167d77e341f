using JepaSharp.Runs;

namespace JepaSharp.Tests.Runs;

public sealed class LearningVerdictTests
{
    [Theory]
    // The built-in scenes, and photographs with labels: something rose.
    [InlineData("rankme 4.27, count_r2 0.556, distance_r2 0.509, mean_cosine 0.990",
        "rankme 8.55, count_r2 0.666, distance_r2 0.581, mean_cosine 0.774")]
    [InlineData("knn_accuracy 0.231, ridge_accuracy 0.242, rankme 12.4", "knn_accuracy 0.194, ridge_accuracy 0.317, rankme 7.1")]
    [InlineData("rankme 6.6, mean_cosine 0.9", "rankme 24.2, mean_cosine 0.4")]
    // A rank that fell a little, or fell while images move apart, is no proof.
    [InlineData("rankme 12.4, mean_cosine 0.9", "rankme 10.5, mean_cosine 0.95")]
    [InlineData("rankme 12.4, mean_cosine 0.9", "rankme 6.5, mean_cosine 0.7")]
    [InlineData("loss 0.4", "loss 0.1")]
    public void Of_ARunThatLearned_OrOfWhichItCannotBeTold_SaysNothing(string before, string after) =>
        Assert.Null(LearningVerdict.Of(Measures(before), Measures(after), 5000));

    [Theory]
    [InlineData("knn_accuracy 0.234, ridge_accuracy 0.305, rankme 13.7", "knn_accuracy 0.224, ridge_accuracy 0.313, rankme 5.9",
        "23.4 % before, 22.4 % now")]
    [InlineData("rankme 2.7, mean_cosine 0.99", "rankme 1.25, mean_cosine 0.9999", "RankMe (effective rank of features) 2.7 before, 1.25 now")]
    public void Of_ARunThatLearnedNothing_SaysSoWithTheNumbers(string before, string after, string said)
    {
        var verdict = LearningVerdict.Of(Measures(before), Measures(after), 5000)!;
        Assert.Contains(said, verdict, StringComparison.Ordinal);
        Assert.DoesNotContain("are few", verdict, StringComparison.Ordinal);
        Assert.Contains("--objective mae", verdict, StringComparison.Ordinal);
        Assert.Contains("900 steps are few", LearningVerdict.Of(Measures(before), Measures(after), 900)!, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_LeJepa_GoesByProbesAlone()
    {
        // A run that learned: its class tokens spread less than before.
        Assert.Null(LearningVerdict.Of(Measures("rankme 24.2, mean_cosine 0.387"), Measures("rankme 18.3, mean_cosine 0.721"), 658, "lejepa"));
        var verdict = LearningVerdict.Of(Measures("knn_accuracy 0.237"), Measures("knn_accuracy 0.21"), 5000, "lejepa")!;
        Assert.Contains("23.7 % before, 21.0 % now", verdict, StringComparison.Ordinal);
        Assert.DoesNotContain("--objective mae", verdict, StringComparison.Ordinal);
    }

    private static Dictionary<string, double> Measures(string text) => text.Split(", ").Select(m => m.Split(' '))
        .ToDictionary(m => m[0], m => double.Parse(m[1], System.Globalization.CultureInfo.InvariantCulture));
}
