using JepaSharp.Configuration;
using JepaSharp.Monitoring;

namespace JepaSharp.Tests.Monitoring;

public sealed class CollapseWatchTests
{
    private static readonly MonitorReading Healthy = new(0.05, 0.2, 0.08, 8, 20, 0.2, 0.7);
    private static readonly MonitorReading Collapsed = new(0.001, 0.0012, 0.0005, 1.1, 10, 0.0075, 0.9999);

    [Fact]
    public void Watch_OverAHealthyRun_SaysNothing() => Assert.Empty(Said(
        (0, Healthy with { Loss = 0.45 }), (100, Healthy with { Loss = 0.3 }),
        (200, Healthy with { ConstantLoss = 0.044, PositionLoss = 0.02, Loss = 0.05 }), (300, Healthy), (400, Healthy)));

    [Fact]
    public void Watch_OverACollapse_SaysSoOnceWithWhatToChange()
    {
        var said = Said(
            (0, Healthy), (100, Healthy), (200, Collapsed), (300, Collapsed), (400, Collapsed), (500, Healthy), (600, Collapsed), (700, Collapsed));
        Assert.Equal(300, Assert.Single(said).Step);
        Assert.Contains("the run is collapsing: the target encoder says nearly the same of everything (RankMe 1.1, mean cosine between images 0.9999",
            said[0].Text, StringComparison.Ordinal);
        Assert.EndsWith("Change something.", said[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Watch_OverADipThatPasses_SaysNothing() =>
        Assert.Empty(Said((0, Healthy), (100, Collapsed), (200, Healthy), (300, Collapsed), (400, Healthy)));

    [Fact]
    public void Watch_OverGlancesBetweenHealthyReadings_SaysACollapse()
    {
        var watch = new CollapseWatch();
        Assert.Empty(watch.Add(0, Healthy));
        Assert.Empty(watch.Add(60, new MonitorGlance(0.004, 0.002)));
        Assert.Empty(watch.Add(120, new MonitorGlance(0.1, 0.05)));
        Assert.Empty(watch.Add(180, new MonitorGlance(0.004, 0.002)));
        var said = Assert.Single(watch.Add(240, new MonitorGlance(0.003, 0.001)));
        Assert.Equal("the run is collapsing: the target encoder says nearly the same of everything (loss of a constant prediction 0.0030, of one "
            + "from position alone 0.0010). A low loss is worth nothing then.", said.Text);
        Assert.Empty(watch.Add(300, Collapsed));
    }

    [Fact]
    public void Watch_OverImagesThatAllLookAlike_SaysSoThoughPositionsDiffer()
    {
        var alike = Healthy with { PositionLoss = 0.003 };
        Assert.Contains(
            "nearly the same of every image", Assert.Single(Said((0, Healthy), (100, alike), (200, alike))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Watch_OverALossNoBetterThanAConstants_SaysSoAfterTheBeginning()
    {
        var useless = Healthy with { Loss = 0.21 };
        Assert.Empty(Said((0, useless), (100, useless), (200, useless), (299, useless), (300, useless), (400, useless), (500, Healthy)));
        var said = Assert.Single(Said((0, useless), (300, useless), (400, useless), (500, useless), (600, useless)));
        Assert.Equal(500, said.Step);
        Assert.StartsWith("the loss, 0.2100, is no better than that of the best constant prediction, 0.2000", said.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Advice_OnAConfiguration_NamesKeysAndValuesTheLikeliestFirst()
    {
        var advice = CollapseAdvice.For(new PretrainOptions
        {
            Data = new DataOptions { BatchSize = 16 },
            Optimization = new OptimizationOptions { Lr = 0.003, Ema = new MomentumRange(0.5, 1), FinalWeightDecay = 0.4 },
        });
        Assert.Equal(
            "Try, one at a time: let the target encoder follow more slowly (optimization.ema from 0.5; try 0.98); a lower learning rate "
                + "(optimization.lr 0.003; try 0.001); "
            + "less weight decay at the end (optimization.final_weight_decay 0.4; try 0.1); a larger batch (data.batch_size 16; try 64).",
            advice);
        Assert.DoesNotContain("ema", CollapseAdvice.For(new PretrainOptions()), StringComparison.Ordinal);
    }

    [Fact]
    public void Watch_OverReadingsOfARunThatCollapsed_SaysSoAtTheSecond()
    {
        // Every 25 steps of the run at ten times the default rate in docs/monitoring.md.
        var said = Said(
            (0, new(0.4604, 0.1360, 0.0250, 2.00, 21.2, 0.0406, 0.9968)), (25, new(0.1560, 0.1115, 0.0222, 1.90, 20.4, 0.0421, 0.9971)),
            (50, new(0.0191, 0.0163, 0.0044, 1.33, 15.5, 0.0204, 0.9994)),
            (75, new(0.0025, 0.0026, 0.0009, 1.15, 11.9, 0.0094, 0.9999)), (100, new(0.0011, 0.0012, 0.0005, 1.11, 10.0, 0.0075, 0.9999)));
        Assert.Equal(75, Assert.Single(said).Step);
        Assert.Contains("collapsing", said[0].Text, StringComparison.Ordinal);
    }

    private static List<CollapseWarning> Said(params (long Step, MonitorReading Reading)[] history)
    {
        var watch = new CollapseWatch("Change something.");
        return [.. history.SelectMany(h => watch.Add(h.Step, h.Reading))];
    }
}
