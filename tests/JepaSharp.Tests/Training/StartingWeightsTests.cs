using JepaSharp.Models;
using JepaSharp.Optimization;
using JepaSharp.Runtime;
using JepaSharp.Tests.Parity;
using JepaSharp.Training.Checkpoints;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Training;

public sealed class StartingWeightsTests : IDisposable
{
    private static readonly Schedules Constant = new(new ScheduleOptions
    {
        StepsPerEpoch = 1000,
        Epochs = 1000,
        FinalLearningRate = 0.001,
        FinalWeightDecay = 0.04,
        FinalMomentum = 0.996,
    });

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void PublishedCheckpoint_WithItsOptimizer_GoesOnAsARunThatNeverStopped()
    {
        using var scope = NewDisposeScope();
        // The recorded run again, to its end, here; then on with constant schedules.
        using var run = new RecordedRun(Fixtures.PathOf("nano"));
        for (var k = 0; k < run.Steps.Count; k++)
        {
            var masks = run.Masks(k);
            run.Step.Run((run.Images(k), masks));
        }

        Write(run.Step, new CheckpointState(8, 2, 4));
        using var unbroken = NewStep(run);
        TrainingCheckpoint.Restore(_folder.Path, unbroken.State, 4);

        // The same state as the published code saved it.
        using var weights = PretrainedWeights.Open(Fixtures.PathOf("nano/checkpoint.pth.tar"), heads: 3);
        using var begun = NewStep(run);
        var said = StartingWeights.Apply(weights, begun.State);
        Assert.Equal(
            ["context encoder and target encoder: found", "predictor: found",
                "optimizer's state: found, AdamW of 59 parameters after 8 steps; the schedules begin anew"], said);
        Assert.Equal((0, 8, 8), (begun.StepCount, begun.OptimizerStart, begun.ContextOptimizer.StepCount));
        AssertSame(unbroken, begun, 1e-6);

        for (var k = 0; k < 3; k++)
        {
            var masks = run.Masks(k);
            var (a, b) = (unbroken.Run((run.Images(k), masks)), begun.Run((run.Images(k), masks)));
            Assert.Equal(a.LearningRate, b.LearningRate, 1e-9);
            Assert.Equal(a.Loss, b.Loss, 1e-6);
        }

        AssertSame(unbroken, begun, 1e-5);
        Assert.Equal(3, begun.StepCount);
    }

    [Fact]
    public void Checkpoint_OfARunThatBeganWithAnOptimizer_KeepsItsCount()
    {
        using var scope = NewDisposeScope();
        using var run = new RecordedRun(Fixtures.PathOf("nano"));
        using var weights = PretrainedWeights.Open(Fixtures.PathOf("nano/checkpoint.pth.tar"), heads: 3);
        using var begun = NewStep(run);
        StartingWeights.Apply(weights, begun.State);
        var masks = run.Masks(0);
        begun.Run((run.Images(0), masks));
        Write(begun, new CheckpointState(1, 0, 4, begun.OptimizerStart));
        using var resumed = NewStep(run);
        TrainingCheckpoint.Restore(_folder.Path, resumed.State, 4);
        Assert.Equal((1, 8, 9), (resumed.StepCount, resumed.OptimizerStart, resumed.PredictorOptimizer.StepCount));
    }

    private void Write(JepaStep step, CheckpointState state)
    {
        using var snapshot = CheckpointSnapshot.Take(step.State, state, new Dictionary<string, string>());
        TrainingCheckpoint.Write(_folder.Path, snapshot);
    }

    [Theory]
    [InlineData(NetworkNames.TargetEncoder, "target encoder: found; context encoder: not found, starts as a copy of it")]
    [InlineData(NetworkNames.ContextEncoder, "context encoder: found; target encoder: not found, starts as a copy of it")]
    public void LoneEncoder_FillsBothEncodersAndLeavesThePredictorAsDrawn(string which, string sentence)
    {
        using var scope = NewDisposeScope();
        using var run = new RecordedRun(Fixtures.PathOf("nano"));
        using (var published = PretrainedWeights.Open(Fixtures.PathOf("nano/checkpoint.pth.tar"), heads: 3))
            WeightsExport.ToSafetensors(published, which, PixelNormalization.ImageNet, _folder["lone.safetensors"]);
        using var weights = PretrainedWeights.Open(_folder["lone.safetensors"]);
        using var step = NewStep(run);
        var drawn = step.Prediction.Values.clone();
        var said = StartingWeights.Apply(weights, step.State);
        Assert.Equal([sentence, "predictor: not found, starts from random weights", "optimizer's state: not found, starts at zero"], said);
        Assert.True(drawn.Equals(step.Prediction.Values));
        Assert.True(step.Context.Values.Equals(step.Target.Values));
        foreach (var (name, tensor) in step.Objective.ContextEncoder.state_dict()) Assert.True(weights.Read($"{which}.{name}").Equals(tensor), name);
        Assert.All(step.Objective.ContextEncoder.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void OtherGrid_IsInterpolatedAndSaid()
    {
        using var scope = NewDisposeScope();
        using var run = new RecordedRun(Fixtures.PathOf("nano"));
        using var weights = PretrainedWeights.Open(Fixtures.PathOf("nano/hf"));
        using var step =
            new JepaStep(run.Objective.ContextEncoder.Shape with { ImageHeight = 96, ImageWidth = 80 }, run.Objective.Predictor.Shape, Constant);
        Assert.Contains("positions: interpolated from a grid of 8x8 to 12x10", StartingWeights.Apply(weights, step.State));
        var expected = PositionTable.Interpolate(weights.Read("target_encoder.pos_embed"), 8, 8, 12, 10);
        Assert.True(expected.Equals(step.Objective.ContextEncoder.state_dict()["pos_embed"]));
    }

    [Fact]
    public void OtherArchitecture_IsRefusedWithEveryDifference()
    {
        using var run = new RecordedRun(Fixtures.PathOf("nano"));
        using var weights = PretrainedWeights.Open(Fixtures.PathOf("nano/checkpoint.pth.tar"), heads: 3);
        using var step = new JepaStep(run.Objective.ContextEncoder.Shape with { Depth = 3, Heads = 4 }, new PredictorShape(12, 2, 3), Constant);
        var error = Assert.Throws<JepaException>(() => StartingWeights.Apply(weights, step.State));
        Assert.True(error.IsUsage);
        foreach (var difference in (string[])["blocks 2, the run has 3 (meta.depth)", "heads 3, the run has 4 (meta.num_heads)",
            "predictor width 24, the run has 12 (meta.pred_emb_dim)"])
            Assert.Contains(difference, error.Message);
    }

    private static JepaStep NewStep(RecordedRun like) => new(like.Objective.ContextEncoder.Shape, like.Objective.Predictor.Shape, Constant, seed: 5);

    private static void AssertSame(JepaStep expected, JepaStep found, double tolerance)
    {
        foreach (var (what, a, b) in ((string, Tensor, Tensor)[])[
            ("context", expected.Context.Values, found.Context.Values), ("predictor", expected.Prediction.Values, found.Prediction.Values),
            ("target", expected.Target.Values, found.Target.Values),
            ("first moment", expected.ContextOptimizer.FirstMoment, found.ContextOptimizer.FirstMoment),
            ("second moment", expected.ContextOptimizer.SecondMoment, found.ContextOptimizer.SecondMoment),
            ("predictor's first moment", expected.PredictorOptimizer.FirstMoment, found.PredictorOptimizer.FirstMoment),
            ("predictor's second moment", expected.PredictorOptimizer.SecondMoment, found.PredictorOptimizer.SecondMoment)])
        {
            Assert.True((a.abs().max() > 0).item<bool>(), what);
            Assert.True(RecordedRun.Difference(b, a).Absolute < tolerance, $"{what} differs by {RecordedRun.Difference(b, a).Absolute}");
        }
    }
}
