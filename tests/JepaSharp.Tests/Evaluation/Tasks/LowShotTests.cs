using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Evaluation.Tasks;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Evaluation.Tasks;

public sealed class LowShotTests
{
    [Fact]
    public void Draws_OfUnequalClasses_HaveAsManyOfEachAndDiffer()
    {
        int[] labels = [.. Enumerable.Range(0, 200).Select(i => i % 10 == 0 ? 2 : i % 2)];
        var draws = LowShotDraws.Draw(labels, ["a", "b", "c", "unused"], perClass: 7, draws: 4, seed: 3);
        Assert.All(draws, rows =>
        {
            Assert.Equal([7, 7, 7], Enumerable.Range(0, 3).Select(c => rows.Count(row => labels[row] == c)));
            Assert.Equal(rows.Distinct().Order(), rows);
        });
        Assert.Equal(4, draws.Select(rows => string.Join(' ', rows)).Distinct().Count());
        Assert.Equal(draws, LowShotDraws.Draw(labels, ["a", "b", "c", "unused"], 7, 4, seed: 3));
    }

    [Fact]
    public void Draws_ThatCannotBe_AreRefusedInWords()
    {
        Assert.Equal(13, LowShotDraws.PerClass(1_281_167, 1000, 0.01));
        Assert.Contains("1 % of 50 images of 10 classes is 0.5 images", Refusal(() => LowShotDraws.PerClass(50, 10, 0.01)), StringComparison.Ordinal);
        Assert.Contains("Class \"b\" has 2 images; 3 of every class", Refusal(() => LowShotDraws.Draw([0, 0, 0, 1, 1], ["a", "b"], 3, 1, 0)),
            StringComparison.Ordinal);

        static string Refusal(Func<object> act)
        {
            var error = Assert.Throws<JepaException>(act);
            Assert.True(error.IsUsage);
            return error.Message;
        }
    }

    [Fact]
    public void LowShot_OverDraws_ReportsMeanAndSampleDeviation()
    {
        var clouds = Synthetic.Clouds(90, 5, 3, 1.5, seed: 1);
        var (fit, test) = (clouds.Select([.. Enumerable.Range(0, 60)]), clouds.Select([.. Enumerable.Range(60, 30)]));
        var draws = LowShotDraws.Draw(fit.Labels, ["a", "b", "c"], 4, 3, seed: 0);
        var options = new RidgeOptions { Penalties = [1] };
        var row = Assert.Single(new LowShotTask(LinearModelTask.Ridge(options), draws).Run(new LabelledFeatures("clouds", fit, new TestSet(test))));
        var each = draws.Select(rows => RidgeProbe.Fit(fit.Select(rows), options).Score(test).Accuracy).ToArray();
        Assert.Equal(each.Average(), row.Scores["accuracy"], 12);
        Assert.Equal(Math.Sqrt(each.Sum(a => Math.Pow(a - each.Average(), 2)) / 2), row.Scores["accuracy_deviation"], 12);
        Assert.Equal(each[2], row.Scores["accuracy_of_draw_3"]);
    }
}
