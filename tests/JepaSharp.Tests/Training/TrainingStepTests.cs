using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Optimization;
using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Training;

public sealed class TrainingStepTests
{
    private static readonly Schedules Constant = new(new ScheduleOptions { StepsPerEpoch = 10, Epochs = 10 });

    [Fact]
    public void Run_WithAnImageThatIsNotANumber_ThrowsAndChangesNothing()
    {
        using var scope = NewDisposeScope();
        using var step = NewStep(ScalarType.Float32);
        var masks = SomeMasks(2);
        var before =
            (step.Context.Values.clone(), step.Prediction.Values.clone(), step.Target.Values.clone(), step.ContextOptimizer.FirstMoment.clone());
        var error = Assert.Throws<NumericalException>(() => step.Run((full([2, 3, 32, 32], float.NaN), masks)));
        Assert.Contains("Step 1", error.Message);
        Assert.Contains("No weight was changed", error.Message);
        Assert.True(before.Item1.Equals(step.Context.Values));
        Assert.True(before.Item2.Equals(step.Prediction.Values));
        Assert.True(before.Item3.Equals(step.Target.Values));
        Assert.True(before.Item4.Equals(step.ContextOptimizer.FirstMoment));
        Assert.Equal(0, step.StepCount);
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Run_ManySteps_LeavesNoTensorsBehind(ScalarType precision)
    {
        using var step = NewStep(precision);
        var masks = SomeMasks(2);
        using var images = rand(2, 3, 32, 32);
        step.Run((images, masks));
        // What earlier tests left to the collector must not go meanwhile: the count is the process's.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;
        for (var i = 0; i < 5; i++) step.Run((images, masks));
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Run_LeftBetweenItsParts_ChangesNothing()
    {
        using var images = rand(2, 3, 32, 32);
        var masks = SomeMasks(2);
        using var left = NewStep(ScalarType.Float32);
        using var whole = NewStep(ScalarType.Float32);
        left.Inner.Stop = new CancellationToken(canceled: true);
        Assert.Throws<OperationCanceledException>(() => left.Run((images, masks)));
        Assert.Equal(0, left.StepCount);
        left.Inner.Stop = CancellationToken.None;
        for (var i = 0; i < 3; i++) Assert.Equal(whole.Run((images, masks)), left.Run((images, masks)), (a, b) => a.Loss.Equals(b.Loss));
    }

    [Fact]
    public void Run_WhileGarbageIsCollectedAllTheTime_TakesTheSameSteps()
    {
        // A number whose native memory is freed while libtorch reads it would change a step, or end it (docs/decisions/0002).
        using var images = rand(2, 3, 32, 32);
        var masks = SomeMasks(2);
        double[] Losses()
        {
            using var step = NewStep(ScalarType.Float32, new OptimizerSettings(ClipNorm: 0.5));
            return [.. Enumerable.Range(0, 60).Select(_ => step.Run((images, masks)).Loss)];
        }

        var quiet = Losses();
        var stop = false;
        var collector = new Thread(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        collector.Start();
        try
        {
            Assert.Equal(quiet, Losses());
        }
        finally
        {
            Volatile.Write(ref stop, true);
            collector.Join();
        }
    }

    [Fact]
    public void Run_OnTwoMicroBatches_EqualsTheirUnion()
    {
        using var scope = NewDisposeScope();
        using var whole = NewStep(ScalarType.Float32);
        using var split = NewStep(ScalarType.Float32);
        var images = rand(4, 3, 32, 32);
        var masks = SomeMasks(4);
        var half = SomeMasks(2);
        var one = whole.Run((images, masks));
        var two = split.Run((images.narrow(0, 0, 2), half), (images.narrow(0, 2, 2), half));
        Assert.Equal(one.Loss, two.Loss, 1e-6);
        Assert.Equal(one.GradientNorm, two.GradientNorm, 1e-5);
        Assert.True(whole.Context.Gradients!.allclose(split.Context.Gradients!, atol: 1e-6));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Run_ThatComputesActivationsAgain_TakesTheSameSteps(ScalarType precision)
    {
        // Widths that the CPU kernels can do: heads of 16.
        JepaStep New(bool checkpoint)
        {
            var shape =
                new VisionTransformerShape { ImageHeight = 32, ImageWidth = 32, PatchSize = 8, Width = 32, Depth = 3, Heads = 2, MlpWidth = 64 };
            return new JepaStep(shape, new PredictorShape(32, 2, 2), Constant, new StepSettings(precision, Checkpoint: checkpoint), seed: 3);
        }

        using var scope = NewDisposeScope();
        using var kept = New(checkpoint: false);
        using var again = New(checkpoint: true);
        var masks = SomeMasks(2);
        var images = rand(2, 3, 32, 32);
        for (var i = 0; i < 3; i++)
        {
            var (a, b) = (kept.Run((images, masks)), again.Run((images, masks)));
            Assert.Equal((a.Loss, a.GradientNorm), (b.Loss, b.GradientNorm));
        }

        foreach (var (a, b) in ((FlatParameters, FlatParameters)[])[(kept.Context, again.Context), (kept.Prediction, again.Prediction)])
        {
            Assert.True(a.Gradients!.abs().max().item<float>() > 0);
            Assert.True(a.Gradients!.Equals(b.Gradients!));
            Assert.True(a.Values.Equals(b.Values));
        }
    }

    [Fact]
    public void Run_WithClipping_LimitsTheGradientsNorm()
    {
        using var scope = NewDisposeScope();
        using var step = NewStep(ScalarType.Float32, new OptimizerSettings(ClipNorm: 0.01));
        var masks = SomeMasks(2);
        var result = step.Run((rand(2, 3, 32, 32), masks));
        Assert.True(result.GradientNorm > 0.01);
        var norm =
            Math.Sqrt(Math.Pow(step.Context.Gradients!.norm().item<float>(), 2) + Math.Pow(step.Prediction.Gradients!.norm().item<float>(), 2));
        Assert.Equal(0.01, norm, 1e-5);
    }

    [Fact]
    public void FlatParameters_OfANetwork_AreTheModulesOwnMemoryInTheRightGroups()
    {
        using var scope = NewDisposeScope();
        using var step = NewStep(ScalarType.Float32);
        foreach (var (parameters, module) in ((FlatParameters, nn.Module)[])[(step.Context, step.Objective.ContextEncoder), (
            step.Prediction, step.Objective.Predictor)])
        {
            var weights = module.state_dict();
            foreach (var (name, shape, start) in parameters.Layout)
            {
                // Paper, appendix A.1: biases and one-dimensional parameters are not decayed; the mask token has three dimensions.
                Assert.Equal(shape.Length > 1, start < parameters.DecayedCount);
                using (no_grad()) FlatParameters.ViewOf(parameters.Values, start, shape).fill_(start);
                Assert.Equal(start, weights[name].max().item<float>(), 1f);
            }
        }
    }

    internal static JepaStep NewStep(ScalarType precision, OptimizerSettings? settings = null, bool isAhead = false)
    {
        var shape = new VisionTransformerShape { ImageHeight = 32, ImageWidth = 32, PatchSize = 8, Width = 24, Depth = 2, Heads = 2, MlpWidth = 48 };
        return new JepaStep(shape, new PredictorShape(12, 1, 2), Constant, new StepSettings(precision, settings, RunsAhead: isAhead), seed: 3);
    }

    internal static MaskBatch SomeMasks(int images)
    {
        long[] Repeat(params long[] patches) => [.. Enumerable.Repeat(patches, images).SelectMany(p => p)];
        return new MaskBatch(new PatchGrid(4, 4), images, [Repeat(0, 1, 4, 5, 8)], [Repeat(2, 3, 6, 7), Repeat(10, 11, 14, 15)]);
    }
}
