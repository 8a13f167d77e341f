using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Training;

/// <summary>Steps whose numbers are read late, as on a GPU, here on the CPU.</summary>
public sealed class RunningAheadTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(null)]
    [InlineData(0.5)]
    public void Steps_GivenToTheDeviceInParts_AreThoseTakenAtOnce(double? clip)
    {
        using var scope = NewDisposeScope();
        using var whole = TrainingStepTests.NewStep(ScalarType.Float32, new OptimizerSettings(ClipNorm: clip));
        using var parts = TrainingStepTests.NewStep(ScalarType.Float32, new OptimizerSettings(ClipNorm: clip), isAhead: true);
        var masks = TrainingStepTests.SomeMasks(2);
        using var random = new Generator(1);
        for (var k = 0; k < 6; k++)
        {
            using var images = rand([2, 3, 32, 32], generator: random);
            var expected = whole.Run((images, masks));
            using var pending = parts.Begin((images, masks));
            parts.Inner.Apply(pending);
            var found = parts.Inner.Finish(pending);
            // a difference, not decimal places: those differ where two equal losses lie on both sides of a rounding
            Assert.Equal(expected.Loss, found.Loss, 5e-6);
            Assert.Equal(expected.GradientNorm, found.GradientNorm, 1e-4 * expected.GradientNorm);
            Assert.Equal((expected.LearningRate, expected.WeightDecay, expected.Momentum), (found.LearningRate, found.WeightDecay, found.Momentum));
        }

        Assert.Equal(6, parts.StepCount);
        Assert.True(whole.Context.Values.allclose(parts.Context.Values, rtol: 1e-3, atol: 1e-5));
        Assert.True(whole.Prediction.Values.allclose(parts.Prediction.Values, rtol: 1e-3, atol: 1e-5));
        Assert.True(whole.Target.Values.allclose(parts.Target.Values, rtol: 1e-3, atol: 1e-6));
    }

    [Fact]
    public void Step_NotFinite_ChangesNothingAndSaysWhere()
    {
        using var scope = NewDisposeScope();
        using var step = TrainingStepTests.NewStep(ScalarType.Float32, new OptimizerSettings(ClipNorm: 1), isAhead: true);
        var masks = TrainingStepTests.SomeMasks(2);
        Tensor[] state = [step.Context.Values, step.Prediction.Values, step.Target.Values, step.ContextOptimizer.FirstMoment,
            step.PredictorOptimizer.SecondMoment];
        Tensor[] before = [.. state.Select(s => s.clone())];
        using var pending = step.Begin((full([2, 3, 32, 32], float.NaN), masks));
        step.Inner.Apply(pending);
        Assert.Equal(1, step.StepCount);
        // Another step's gradients are asked for meanwhile.
        step.Begin((rand(2, 3, 32, 32), masks)).Dispose();
        var error = Assert.Throws<NumericalException>(() => step.Inner.Finish(pending));
        Assert.Contains("Step 1 gave a loss of NaN", error.Message, StringComparison.Ordinal);
        Assert.Contains("parameters have gradients that are not finite", error.Message, StringComparison.Ordinal);
        Assert.All(before.Zip(state), pair => Assert.True(pair.First.Equals(pair.Second)));
        Assert.Equal(0, step.StepCount);
    }

    [Fact]
    public void Run_StoppedAndResumed_EndsInTheBitsOfTheUnbrokenOne()
    {
        using var unbroken = new TinyRun(_folder["unbroken"], isAhead: true).Go();
        using (var first = new TinyRun(_folder["broken"], isAhead: true).Go((step, stop) =>
        {
            if (step == 5) stop.Cancel();
        })) Assert.Equal(5, first.Trainer.Step.StepCount);
        using var second = new TinyRun(_folder["broken"], isAhead: true).Go();
        Assert.Equal(12, second.Trainer.Step.StepCount);
        Assert.Equal(unbroken.Weights, second.Weights);
    }

    [Fact]
    public void Run_Ahead_IsTheRunThatWaits()
    {
        using var ahead = new TinyRun(_folder["ahead"], isAhead: true).Go();
        using var waiting = new TinyRun(_folder["waiting"]).Go();
        Assert.Equal(12, ahead.Trainer.Step.StepCount);
        Assert.All(waiting.Weights.Zip(ahead.Weights), pair => Assert.Equal(pair.First, pair.Second, 2e-4f));
    }

    [Fact]
    public void Steps_NotFinite_AreSkippedAndTheNextIsTakenFromSoundWeights()
    {
        using var run = new TinyRun(
            _folder["run"], TinyRun.Options with { Optimization = TinyRun.Options.Optimization with { SkipNonFinite = 2 } }, isAhead: true);
        using var sound = run.Trainer.Step.Prediction.Values.clone();
        run.Go((step, _) =>
        {
            using var untracked = no_grad();
            // Poisoned after step 3: the gradients of step 4 were asked for before, those of 5 come from poisoned weights.
            if (step == 3) run.Trainer.Step.Prediction.Values.fill_(float.MaxValue);
            if (step == 5) run.Trainer.Step.Prediction.Values.copy_(sound);
        });
        Assert.Equal(12, run.Trainer.Step.StepCount);
        Assert.Contains(run.Messages, m => m.Contains("was skipped", StringComparison.Ordinal));
        Assert.All(run.Weights, w => Assert.True(float.IsFinite(w)));
    }
}
