using JepaSharp.Monitoring;
using JepaSharp.Runs;
using JepaSharp.Training;
using JepaSharp.Training.Checkpoints;
using JepaSharp.Weights;
using Monitored = JepaSharp.Tests.Monitoring.TinyRun;

namespace JepaSharp.Tests.Training;

public sealed class BestCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Run => _folder["run"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Keep_OfAnEarlierCheckpoint_IsWhatTheRunStandsForAndNoCheckpointOfItsOwn()
    {
        _ = Monitored.Train(Run, Monitored.Options, monitorEvery: null);
        var found = CheckpointRanking.Find(Run);
        var best = BestCheckpoint.Keep(found[0].Path, "Handed over: because.");
        using (var weights = PretrainedWeights.Open(Run)) Assert.StartsWith(best, weights.Path);
        Assert.Equal("Handed over: because.\n", File.ReadAllText(Path.Combine(best, BestCheckpoint.Why)));
        Assert.Equal(found[0].Step, CheckpointState.Read(best).Step);
        // It is none of those that are ranked, and nothing is resumed from it.
        Assert.Equal(found, CheckpointRanking.Find(Run));
        using (var folder = RunFolder.Resume(Run)) Assert.Equal(24, CheckpointState.Read(NewestCheckpoint.Of(folder).Path).Step);

        _ = BestCheckpoint.Keep(found[^1].Path, "Another.");
        Assert.Equal(found[^1].Step, CheckpointState.Read(best).Step);
    }

    [Fact]
    public void Resume_OfARunThatHandedOver_WithdrawsIt()
    {
        using (var run = PretrainRun.Start(RunSetup.Of(Monitored.Options), Run)) _ = run.Train(stop: TestContext.Current.CancellationToken);
        var best = BestCheckpoint.Keep(CheckpointRanking.Find(Run)[0].Path, "Because.");
        using (PretrainRun.Resume(Run, ["optimization.epochs=4"])) Assert.False(Directory.Exists(best));
        using var weights = PretrainedWeights.Open(Run);
        Assert.Contains("latest", weights.Path, StringComparison.Ordinal);
    }
}
