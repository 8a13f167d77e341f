using JepaSharp.Training;
using JepaSharp.Training.Progress;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Training;

public sealed class LossGuardTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Step_NotFinite_StopsTheRunWithTheStepTheParameterAndTheLastNumbers()
    {
        using var run = new TinyRun(_folder["run"]);
        var error = Assert.Throws<NumericalException>(() => run.Go((step, _) => { if (step == 4) Poison(run); }));
        Assert.Contains("Step 5 gave a loss of", error.Message, StringComparison.Ordinal);
        Assert.Contains("parameters have gradients that are not finite, the first ", error.Message, StringComparison.Ordinal);
        Assert.Contains("The step before had a loss of", error.Message, StringComparison.Ordinal);
        Assert.Equal(4, run.Trainer.Step.StepCount);
    }

    [Fact]
    public void Steps_NotFinite_AreSkippedAsFarAsAllowedAndChangeNoWeight()
    {
        var options = TinyRun.Options with { Optimization = TinyRun.Options.Optimization with { SkipNonFinite = 3 } };
        using var run = new TinyRun(_folder["run"], options);
        float[] before = [];
        var error = Assert.Throws<NumericalException>(() => run.Go((step, _) =>
        {
            if (step == 4)
            {
                Poison(run);
                before = [.. run.Trainer.Step.Target.Values.data<float>()];
            }
        }));
        Assert.Equal(7, run.Trainer.Step.StepCount); // 5, 6 and 7 skipped; 8 stops the run
        Assert.Contains("Step 8", error.Message, StringComparison.Ordinal);
        Assert.Equal(3, run.Messages.Count(m => m.Contains("was skipped", StringComparison.Ordinal)));
        Assert.Equal(before, run.Trainer.Step.Target.Values.data<float>());
    }

    [Fact]
    public void Bound_IsKeptAcrossAResume()
    {
        var said = new Listener();
        var guard = new LossGuard(3, 2, said);
        Assert.Null(guard.Take(10, NotFinite));
        Assert.Throws<NumericalException>(() => guard.Take(11, NotFinite));
        Assert.Equal(0.5, guard.Take(12, () => Result(0.5))!.Loss);
        Assert.Null(guard.Take(13, NotFinite));
        Assert.Equal(1, guard.SkippedInARow);
    }

    [Fact]
    public void Spike_OfTheLoss_IsSaidOnce()
    {
        var said = new Listener();
        var guard = new LossGuard(0, 0, said);
        for (var step = 1; step <= 120; step++)
        {
            var loss = step is 100 or 102 ? 3.0 : 0.5 + (0.02 * Math.Sin(step));
            guard.Take(step, () => Result(loss));
        }

        Assert.StartsWith("the loss of step 100 is 3, far above the last steps' 0.5", Assert.Single(said.Messages), StringComparison.Ordinal);
    }

    [Fact]
    public void Fall_OfTheLossAtTheStart_IsNoSpike()
    {
        var said = new Listener();
        var guard = new LossGuard(0, 0, said);
        for (var step = 1; step <= 300; step++) guard.Take(step, () => Result((0.2 + Math.Exp(-step / 30.0)) * (1 + (0.3 * Math.Sin(step * 1.7)))));
        Assert.Empty(said.Messages);
    }

    private static StepResult Result(double loss) => new(loss, 1, 0, 0, 0, new Dictionary<string, double>());

    private static StepResult NotFinite()
    {
        using var scope = NewDisposeScope();
        using var run = new Parity.RecordedRun(Fixtures.PathOf("nano"));
        return run.Step.Run((full(run.Images(0).shape, float.NaN), run.Masks(0)));
    }

    /// <summary>Makes the predictor answer with infinities.</summary>
    private static void Poison(TinyRun run)
    {
        using var untracked = no_grad();
        run.Trainer.Step.Prediction.Values.fill_(float.MaxValue);
    }

    private sealed class Listener : ITrainingObserver
    {
        public List<string> Messages { get; } = [];

        public void OnMessage(string text) => Messages.Add(text);
    }
}
