using JepaSharp.Objectives;
using JepaSharp.Optimization;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Parity;

/// <summary>The method against runs recorded from the published implementation (float32, CPU).</summary>
public sealed class RecordedRunTests(ITestOutputHelper output)
{
    public static IEnumerable<TheoryDataRow<string>> Runs => RecordedFolders.Of(["nano", "micro", "two-context-blocks"]);

    [Theory]
    [MemberData(nameof(Runs))]
    public void Forward_FirstStep_MatchesRecorded(string name)
    {
        using var run = RecordedRun.Of(name);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var masks = JepaMasks.Of(run.Masks(0), CPU);
        var images = run.Images(0);
        AssertClose("context_encoder_output", run.Objective.ContextEncoder.Encode(images, masks.Context));
        AssertClose("target_encoder_output", run.Objective.TargetEncoder.forward(images));
        AssertClose("targets", run.Objective.Targets(images, masks));
        AssertClose("predictions", run.Objective.Predict(images, masks));

        void AssertClose(string what, Tensor actual)
        {
            var (absolute, _) = RecordedRun.Difference(actual, run.Expected(what));
            output.WriteLine($"{what}: largest absolute difference {absolute:g3}");
            Assert.True(absolute < 1e-5, $"{what} differs by {absolute}");
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Gradients_FirstStep_MatchRecorded(string name)
    {
        using var run = RecordedRun.Of(name);
        using var scope = NewDisposeScope();
        using var masks = JepaMasks.Of(run.Masks(0), CPU);
        run.Objective.Loss(run.Images(0), masks, Step.Untracked(0)).backward();
        var worst = 0.0;
        foreach (var (network, parameters) in ((string, FlatParameters)[])[("encoder", run.Step.Context), ("predictor", run.Step.Prediction)])
        {
            foreach (var (parameter, shape, start) in parameters.Layout)
            {
                var (_, relative) = RecordedRun.Difference(
                    FlatParameters.ViewOf(parameters.Gradients!, start, shape), run.Expected($"grad.{network}.{parameter}"));
                Assert.True(relative < 1e-4, $"gradient of {network}.{parameter} differs by {relative} of its largest entry");
                worst = Math.Max(worst, relative);
            }
        }

        output.WriteLine($"largest relative difference {worst:g3}");
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Trajectory_AllSteps_MatchesRecorded(string name)
    {
        using var run = RecordedRun.Of(name);
        using var scope = NewDisposeScope();
        double worstLoss = 0, worstWeight = 0;
        for (var step = 0; step < run.Steps.Count; step++)
        {
            var masks = run.Masks(step);
            var result = run.Step.Run((run.Images(step), masks));
            var expected = run.Steps[step];
            worstLoss = Math.Max(worstLoss, Math.Abs(result.Loss - expected.Loss));
            Assert.Equal(expected.Loss, result.Loss, 1e-4);
            Assert.Equal(expected.LearningRate, result.LearningRate, 1e-12);
            Assert.Equal(expected.WeightDecay, result.WeightDecay, 1e-12);
            Assert.Equal(expected.Momentum, result.Momentum, 1e-12);
        }

        foreach (var (network, module) in ((string, nn.Module)[])[
            ("encoder", run.Objective.ContextEncoder), ("predictor", run.Objective.Predictor), ("target_encoder", run.Objective.TargetEncoder)])
        {
            foreach (var (parameter, tensor) in module.state_dict())
            {
                var (absolute, _) = RecordedRun.Difference(tensor, run.Expected($"final.{network}.{parameter}"));
                Assert.True(absolute < 1e-4, $"final {network}.{parameter} differs by {absolute}");
                worstWeight = Math.Max(worstWeight, absolute);
            }
        }

        output.WriteLine($"largest differences: loss {worstLoss:g3}, final weight {worstWeight:g3}");
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Bfloat16_FirstStepAndTrajectory_StayCloseToRecorded(string name)
    {
        using var run = RecordedRun.Of(name, ScalarType.BFloat16);
        using var scope = NewDisposeScope();
        for (var step = 0; step < run.Steps.Count; step++)
        {
            var masks = run.Masks(step);
            var loss = run.Step.Run((run.Images(step), masks)).Loss;
            output.WriteLine($"step {step}: bfloat16 {loss:f6}, recorded float32 {run.Steps[step].Loss:f6}");
            if (step == 0 && run.Bfloat16Loss is { } recorded) Assert.Equal(recorded, loss, 1e-3);
            Assert.InRange(loss / run.Steps[step].Loss, 0.98, 1.02);
        }
    }
}
