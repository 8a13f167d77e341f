using JepaSharp.Configuration;
using JepaSharp.Objectives;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Monitoring;

public sealed class ConstantPredictorTests
{
    [Fact]
    public void Constant_ForSquaredError_IsTheMean()
    {
        using var scope = NewDisposeScope();
        var constant = ConstantPredictor.Fit(tensor(new float[] { 0, 1, 0, 3, 9, 5 }, [3, 2]), JepaLoss.L2);
        Assert.Equal([3f, 3f], constant.data<float>().ToArray());
    }

    [Fact]
    public void Constant_ForSmoothL1_LiesBetweenMedianAndMeanWhereItsSlopeIsZero()
    {
        // 2 clip(0 - c) + clip(10 - c) = 0 at c = 1/2; the median is 0, the mean 10/3.
        using var scope = NewDisposeScope();
        var constant = ConstantPredictor.Fit(tensor(new float[] { 0, 0, 10 }, [3, 1]), JepaLoss.SmoothL1);
        Assert.Equal(0.5f, constant.item<float>(), 5);
    }

    [Fact]
    public void Constant_ForSmoothL1_IsBeatenByNoOther()
    {
        using var scope = NewDisposeScope();
        float[] values = [-3.1f, -0.4f, 0.1f, 0.2f, 0.9f, 1.5f, 4.0f];
        double Loss(double c) => values.Average(x => Math.Abs(x - c) < 1 ? 0.5 * (x - c) * (x - c) : Math.Abs(x - c) - 0.5);
        var constant = ConstantPredictor.Fit(tensor(values, [7, 1]), JepaLoss.SmoothL1).item<float>();
        var best = Enumerable.Range(-300, 601).Min(i => Loss(i / 100.0));
        Assert.InRange(Loss(constant), best - 1e-4, best + 1e-7);
    }

    [Fact]
    public void Constant_OfEachPosition_IsFittedOnItsOwn()
    {
        using var scope = NewDisposeScope();
        var targets = tensor(new float[] { 0, 100, 0.5f, 100.5f }, [2, 2, 1]); // two images, two positions
        var constants = ConstantPredictor.Fit(targets, JepaLoss.SmoothL1);
        Assert.Equal([2L, 1L], constants.shape);
        Assert.Equal([0.25f, 100.25f], constants.data<float>().ToArray());
    }
}
