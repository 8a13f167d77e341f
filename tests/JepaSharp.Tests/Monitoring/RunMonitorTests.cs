using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Monitoring;
using JepaSharp.Objectives;
using JepaSharp.Training;
using JepaSharp.Training.Progress;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Monitoring;

/// <summary>Readings of small real networks.</summary>
public sealed class RunMonitorTests
{
    [Fact]
    public void Run_WithMonitors_EndsInTheSameBitsAsWithout()
    {
        using var folder = new TemporaryFolder();
        var without = TinyRun.Train(folder["without"], TinyRun.Options, monitorEvery: null);
        var with = TinyRun.Train(folder["with"], TinyRun.Options, monitorEvery: 5);
        Assert.Equal(without, with);
        long[] steps = [.. MeasuresCsv.Read(Path.Combine(folder["with"], "measures.csv")).Where(t => MonitorReading.From(t.Values) is not null)
            .Select(t => t.Step)];
        Assert.Equal([0L, 5L, 10L, 15L, 20L, 24L], steps);
        long[] glances = [.. MeasuresCsv.Read(Path.Combine(folder["with"], "measures.csv")).Where(t => MonitorGlance.From(t.Values) is not null)
            .Select(t => t.Step)];
        Assert.Equal([2L, 4L, 6L, 8L, 12L, 14L, 16L, 18L, 22L], glances);
    }

    [Fact]
    public void Reading_OfTheSameNetworks_IsTheSame()
    {
        using var scope = NewDisposeScope();
        using var source = new ScenesSource(0, 64, 32);
        using var scaling = TinyRun.Scaling(TinyRun.Options);
        using var objective = Networks(TinyRun.Options);
        var first =
            new RunMonitor(TinyRun.Sample(source, TinyRun.Options), scaling).Read(objective, cancellation: TestContext.Current.CancellationToken);
        var second =
            new RunMonitor(TinyRun.Sample(source, TinyRun.Options), scaling).Read(objective, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(first.ToMeasures(), second.ToMeasures());
        Assert.True(first.PositionLoss < first.ConstantLoss, "one constant a position cannot be worse than one for all");
    }

    [Fact]
    public void Reading_OfAnEncoderThatSaysTheSameOfEverything_IsCollapsed()
    {
        using var scope = NewDisposeScope();
        using var source = new ScenesSource(0, 64, 32);
        using var scaling = TinyRun.Scaling(TinyRun.Options);
        using var objective = Networks(TinyRun.Options);
        using (no_grad())
        {
            // The last norm's weight 0 leaves its bias alone, a different number for each feature.
            var state = objective.TargetEncoder.state_dict();
            state["norm.weight"].zero_();
            state["norm.bias"].copy_(arange(24, float32));
        }

        var reading =
            new RunMonitor(TinyRun.Sample(source, TinyRun.Options), scaling).Read(objective, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(1, reading.RankMe, 2);
        Assert.Equal(0, reading.Deviation, 6);
        Assert.Equal(1, reading.MeanCosine, 6);
        Assert.Equal(0, reading.ConstantLoss, 6);
        Assert.True(CollapseWatch.IsCollapsed(reading));
        var glance = new RunMonitor(TinyRun.Sample(source, TinyRun.Options), scaling).Glance(objective, 0);
        Assert.Equal(0, glance.ConstantLoss, 6);
        Assert.Equal(0, glance.PositionLoss, 6);
    }

    [Fact]
    public void Glance_OverTheWholeSample_SaysWhatAReadingSays()
    {
        using var scope = NewDisposeScope();
        using var source = new ScenesSource(0, 64, 32);
        using var scaling = TinyRun.Scaling(TinyRun.Options);
        using var objective = Networks(TinyRun.Options);
        var monitor = new RunMonitor(TinyRun.Sample(source, TinyRun.Options), scaling);
        var (reading, glance) = (monitor.Read(objective, cancellation: TestContext.Current.CancellationToken), monitor.Glance(objective, 7));
        // The sample is one batch here; a reading scores target patches alone, which here are the busier ones; a glance all of them.
        Assert.InRange(glance.ConstantLoss / reading.ConstantLoss, 0.5, 2);
        Assert.InRange(glance.PositionLoss / reading.PositionLoss, 0.5, 2);
    }

    [Fact]
    public void Reading_ThroughMeasures_ComesBack()
    {
        var reading = new MonitorReading(0.1, 0.2, 0.15, 7, 12, 0.3, 0.9);
        Assert.Equal(reading.ToMeasures(), MonitorReading.From(reading.ToMeasures())!.ToMeasures());
        Assert.Null(MonitorReading.From(new Dictionary<string, double> { ["rankme"] = 3 }));
        Assert.All(reading.ToMeasures().Keys, name => Assert.True(MonitorReading.Names(name)));
    }

    [Fact]
    public void Interval_OfALargerBatch_IsShorterAndKeepsTheShare()
    {
        using var source = new ScenesSource(0, 64, 32);
        var plan = new PretrainPlan(TinyRun.Options);
        using var objective = Networks(TinyRun.Options);
        var cost = objective.Cost(TinyRun.Sample(source, TinyRun.Options).Batches[0].Indices, Step.Untracked(0, microBatch: -1));
        var size = MonitorSize.For(plan.Encoder);
        var small = MonitorInterval.For(cost, size, 8);
        var large = MonitorInterval.For(cost, size, 128);
        Assert.True(large < small, $"{large} < {small}");
        // An encoder pass over 128 images, and a few of part of them, against steps of 8 images at three to four passes each.
        Assert.InRange(small, 600, 3000);
        Assert.Equal(20, MonitorInterval.For(cost, size, 100_000));
    }

    private static ImageJepa Networks(JepaSharp.Configuration.PretrainOptions options)
    {
        return new ImageJepa(new PretrainPlan(options).ImageJepa);
    }
}
