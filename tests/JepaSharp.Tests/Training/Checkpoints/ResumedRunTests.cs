using JepaSharp.Configuration;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Training.Checkpoints;

/// <summary>A resume compares what a run goes on with, and what its checkpoint was taken with.</summary>
public sealed class ResumedRunTests : IDisposable
{
    private static readonly PretrainOptions Before = TinyRun.Options with
    {
        Optimization = TinyRun.Options.Optimization with { Lr = 0.001, StartLr = 0.0002, FinalLr = 0.0001 },
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("data.batch_size=3", "data.batch_size was 4 and is 3")]
    [InlineData("optimization.accumulate=2", "optimization.accumulate was 1 and is 2")]
    [InlineData("meta.seed=1", "meta.seed was 0 and is 1")]
    [InlineData("meta.num_heads=3", "another architecture: meta.num_heads was 2 and is 3")]
    [InlineData("meta.pred_num_heads=1", "another architecture: meta.pred_num_heads was null and is 1")]
    [InlineData("data.scene_size=40", "does not hold the images that the run was trained on")]
    public void Resume_OfAnotherRun_IsRefused(string change, string said)
    {
        Begin();
        var error = Assert.Throws<JepaException>(() => new TinyRun(_folder["run"], Before.Apply([change])));
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.True(error.IsUsage);
    }

    [Fact]
    public void Resume_WithMoreEpochs_SaysTheRatesBeforeAndAfter() => Assert.Equal(
        ["optimization.epochs was 3 and is 6: the schedules are stretched from 12 to 24 steps; "
            + "the learning rate was 0.001 at step 4 and is 0.0009945 at step 5"],
        Changes("optimization.epochs=6"));

    [Fact]
    public void Resume_WithOtherMasksAndCrops_SaysSo() => Assert.Equal(
        ["changed after step 4: data.crop_scale was [0.3, 1.0] and is [0.5, 1.0]; mask.num_pred_masks was 4 and is 2"],
        Changes("data.crop_scale=[0.5, 1.0]", "mask.num_pred_masks=2"));

    [Theory]
    [InlineData("data.num_workers=1")]
    [InlineData("logging.keep_last=7")]
    [InlineData("meta.pred_num_heads=2")] // what null meant
    public void Resume_WithWhatChangesNothing_SaysNothing(string change) => Assert.Empty(Changes(change));

    private void Begin()
    {
        using var run = new TinyRun(_folder["run"], Before);
        run.Go((step, stop) =>
        {
            if (step == 4) stop.Cancel();
        });
    }

    private IReadOnlyList<string> Changes(params string[] settings)
    {
        Begin();
        using var run = new TinyRun(_folder["run"], Before.Apply(settings));
        return run.Trainer.Changes;
    }
}
