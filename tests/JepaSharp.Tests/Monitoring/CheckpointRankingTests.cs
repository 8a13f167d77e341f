using JepaSharp.Monitoring;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Monitoring;

public sealed class CheckpointRankingTests
{
    private static readonly MonitorReading Healthy = new(0.05, 0.2, 0.08, 8, 20, 0.2, 0.7);
    private static readonly MonitorReading Collapsed = new(0.001, 0.0005, 0.0004, 1.01, 90, 0.0001, 0.99999);

    [Fact]
    public void Ranking_WithoutLabels_GoesByLidarAndPutsCollapsedOnesLast()
    {
        var ranking =
            CheckpointRanking.Of([Checkpoint(1, Healthy with { Lidar = 30 }), Checkpoint(2, Collapsed), Checkpoint(3, Healthy with { Lidar = 40 })]);
        Assert.Equal([3, 1, 2], ranking.Ranked.Select(c => c.Epoch));
        Assert.Equal("Keep epoch-0003: without labels, its features tell images apart in the most directions (LiDAR 40.0); epoch-0001 has 30.0.",
            ranking.Advice);
    }

    [Fact]
    public void Ranking_WithLabels_GoesByTheMeanOfTheProbes()
    {
        var ranking = CheckpointRanking.Of([
            Checkpoint(1, Healthy with { Lidar = 90 }, ("knn_accuracy", 0.2), ("ridge_accuracy", 0.3)),
            Checkpoint(2, Healthy, ("knn_accuracy", 0.25), ("ridge_accuracy", 0.35))]);
        Assert.Equal([2, 1], ranking.Ranked.Select(c => c.Epoch));
        Assert.Equal("Keep epoch-0002: its probes score highest, 0.300 on average; epoch-0001 has 0.250.", ranking.Advice);
    }

    [Fact]
    public void Ranking_OfCollapsedOnes_KeepsNone()
    {
        var ranking = CheckpointRanking.Of([Checkpoint(1, Collapsed), Checkpoint(2, Collapsed)]);
        Assert.StartsWith("None is worth keeping", ranking.Advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(30, 40, "the last checkpoint, whose LiDAR is the highest, 40.0; no label was used")]
    [InlineData(43, 40, "the last checkpoint, with a LiDAR of 40.0: epoch-0001 has 43.0, too small a lead to count; no label was used")]
    [InlineData(50, 40, "epoch-0001, with a LiDAR of 50.0, where the last has 40.0; no label was used")]
    public void HandedOver_BySoundCheckpoints_IsTheLastUnlessAnotherIsClearlyAhead(double first, double last, string why)
    {
        // Probes say the opposite, and have no say.
        var ranking = CheckpointRanking.Of([
            Checkpoint(1, Healthy with { Lidar = first }, ("knn_accuracy", 1 / first)), Checkpoint(2, Healthy with { Lidar = last }, (
                "knn_accuracy", 1 / last))]);
        Assert.Equal(why, ranking.HandedOver().Why);
        Assert.Equal(first > 44 ? 1 : 2, ranking.HandedOver().Checkpoint.Epoch);
    }

    [Fact]
    public void HandedOver_WhereTheLastHasCollapsed_IsTheBestThatHasNot()
    {
        var ranking = CheckpointRanking.Of([Checkpoint(1, Healthy with { Lidar = 3 }), Checkpoint(2, Collapsed)]);
        Assert.Equal("epoch-0001, with the highest LiDAR, 3.0: the last has collapsed; no label was used", ranking.HandedOver().Why);
        Assert.StartsWith("the last checkpoint, since", CheckpointRanking.Of([Checkpoint(1, Collapsed), Checkpoint(2, Collapsed)]).HandedOver().Why);
    }

    [Fact]
    public void HandedOver_WhereTargetsAreFixed_IsTheLastWhateverTheRanks()
    {
        var ranking = CheckpointRanking.Of([
            Checkpoint(1, Healthy with { Lidar = 80, RankMe = 40 }) with { TargetsAreFixed = true },
            Checkpoint(2, Healthy) with { TargetsAreFixed = true }]);
        Assert.Equal(2, ranking.HandedOver().Checkpoint.Epoch);
        Assert.StartsWith("the last checkpoint: its targets do not move", ranking.HandedOver().Why, StringComparison.Ordinal);
        var collapsed = CheckpointRanking.Of([
            Checkpoint(1, Healthy) with { TargetsAreFixed = true }, Checkpoint(2, Collapsed) with { TargetsAreFixed = true }]);
        Assert.Equal(1, collapsed.HandedOver().Checkpoint.Epoch);
    }

    [Fact]
    public void HandedOver_WithoutLidar_GoesByRankMe()
    {
        var unseen = Healthy with { Lidar = double.NaN };
        var ranking = CheckpointRanking.Of([Checkpoint(1, unseen with { RankMe = 20 }), Checkpoint(2, unseen)]);
        Assert.Equal("epoch-0001, with a RankMe of 20.0, where the last has 8.0; no label was used", ranking.HandedOver().Why);
    }

    [Fact]
    public void Checkpoints_OfARun_AreFoundOnceEach()
    {
        using var folder = new TemporaryFolder();
        _ = TinyRun.Train(folder["run"], TinyRun.Options, monitorEvery: null);
        Directory.CreateDirectory(Path.Combine(folder["run"], "checkpoints", "latest.partial"));
        Assert.Equal(["epoch-0001", "epoch-0002", "epoch-0003"], CheckpointRanking.Find(folder["run"]).Select(c => c.Name));
        Assert.Equal([8L, 16L, 24L], CheckpointRanking.Find(folder["run"]).Select(c => c.Step));
        Assert.Equal([8L, 24L], CheckpointRanking.Some(folder["run"], 2).Select(c => c.Step));
        Assert.Equal([24L], CheckpointRanking.Some(folder["run"], 1).Select(c => c.Step));
        Assert.Equal([8L, 16L, 24L], CheckpointRanking.Some(folder["run"], 8).Select(c => c.Step));
    }

    [Fact]
    public void Checkpoints_OfNothing_AreRefusedPlainly()
    {
        using var folder = new TemporaryFolder();
        var error = Assert.Throws<JepaException>(() => CheckpointRanking.Find(folder.Path));
        Assert.Contains("no complete checkpoint", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ranking_OfProbesThatFailed_IsStillWritten()
    {
        var json =
            CheckpointRanking.Of([Checkpoint(1, Healthy, ("distance_r2", double.NaN))]).ToJson(new Dictionary<string, string> { ["run"] = "here" });
        Assert.Contains("\"run\": \"here\"", json, StringComparison.Ordinal);
        Assert.Contains("\"NaN\"", json, StringComparison.Ordinal);
    }

    private static MeasuredCheckpoint Checkpoint(int epoch, MonitorReading reading, params (string Name, double Value)[] probe) =>
        new($"epoch-{epoch:D4}", "", epoch, epoch * 10, reading, probe.ToDictionary(p => p.Name, p => p.Value));
}
