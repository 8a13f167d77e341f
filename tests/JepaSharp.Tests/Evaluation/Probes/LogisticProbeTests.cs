using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Probes;

namespace JepaSharp.Tests.Evaluation.Probes;

public sealed class LogisticProbeTests
{
    [Fact]
    public void Logistic_OfATwoByTwoTable_FindsItsLogOdds()
    {
        // At 0, 30 of 40 are class 0; at 1, 10 of 60. Unpenalised, the fitted odds are the counted ones.
        var features = new List<float>();
        var labels = new List<int>();
        foreach (var (feature, label, times) in (ReadOnlySpan<(float, int, int)>)[(0, 0, 30), (0, 1, 10), (1, 0, 10), (1, 1, 50)])
        {
            features.AddRange(Enumerable.Repeat(feature, times));
            labels.AddRange(Enumerable.Repeat(label, times));
        }

        var set = new ClassificationSet(new FeatureMatrix(100, 1, [.. features]), [.. labels], 2);
        var model = LogisticProbe.Fit(set, new LogisticOptions { Penalties = [1e-10], Tolerance = 1e-8 });
        var outputs = model.Readout.Apply(new FeatureMatrix(2, 1, [0, 1]));
        Assert.Equal(Math.Log(30.0 / 10), outputs[0] - outputs[1], 4);
        Assert.Equal(Math.Log(10.0 / 50), outputs[2] - outputs[3], 4);
    }

    [Theory]
    [InlineData(0.001)]
    [InlineData(0.3)]
    public void Logistic_AtAPenalty_HasNoSlopeLeft(double penalty)
    {
        // The gradient of the penalised cross-entropy, written out; the objective is convex, so no slope is the minimum.
        const int Rows = 90, Width = 4, Classes = 3;
        var set = Synthetic.Clouds(Rows, Width, Classes, 1, seed: 6);
        var model = LogisticProbe.Fit(set, new LogisticOptions { Penalties = [penalty], Tolerance = 1e-7 });
        var (mean, deviation) = FeatureMoments.Of(set.Features);
        var outputs = model.Readout.Apply(set.Features);
        var slope = new double[Width + 1, Classes];
        for (var i = 0; i < Rows; i++)
        {
            var exponentials = Enumerable.Range(0, Classes).Select(c => Math.Exp(outputs[(i * Classes) + c])).ToArray();
            for (var c = 0; c < Classes; c++)
            {
                var error = (exponentials[c] / exponentials.Sum()) - (set.Labels[i] == c ? 1 : 0);
                for (var d = 0; d < Width; d++) slope[d, c] += error * (set.Features.Row(i)[d] - mean[d]) / deviation[d] / Rows;
                slope[Width, c] += error / Rows;
            }
        }

        for (var c = 0; c < Classes; c++)
        {
            for (var d = 0; d < Width; d++) Assert.Equal(0, slope[d, c] + (penalty * model.Readout.Weights[(d * Classes) + c] * deviation[d]), 1e-6);
            Assert.Equal(0, slope[Width, c], 1e-6);
        }
    }

    /// <summary>As MSN is evaluated: what an image's features are shifted and scaled by, changes nothing.</summary>
    [Fact]
    public void Logistic_OfUnitFeatures_HasNoSlopeLeftAndNoBias()
    {
        const int Rows = 60, Width = 5, Classes = 3;
        var set = Synthetic.Clouds(Rows, Width, Classes, 1, seed: 4);
        var options = new LogisticOptions { Penalties = [0.5], Tolerance = 1e-8, OfUnitFeatures = true };
        var model = LogisticProbe.Fit(set, options);
        Assert.All(model.Readout.Bias, bias => Assert.Equal(0, bias));
        var (unit, slope) = (new double[Rows, Width], new double[Width, Classes]);
        for (var i = 0; i < Rows; i++)
        {
            var row = set.Features.Row(i).ToArray().Select(v => (double)v).ToArray();
            var length = Math.Sqrt(row.Sum(v => Math.Pow(v - row.Average(), 2)));
            for (var d = 0; d < Width; d++) unit[i, d] = (row[d] - row.Average()) / length;
            var outputs = Enumerable.Range(0, Classes)
                .Select(c => Enumerable.Range(0, Width).Sum(d => unit[i, d] * model.Readout.Weights[(d * Classes) + c])).Select(Math.Exp).ToArray();
            for (var c = 0; c < Classes; c++)
                for (var d = 0; d < Width; d++)
                    slope[d, c] += ((outputs[c] / outputs.Sum()) - (set.Labels[i] == c ? 1 : 0)) * unit[i, d] / Rows;
        }

        for (var c = 0; c < Classes; c++)
            for (var d = 0; d < Width; d++) Assert.Equal(0, slope[d, c] + (0.5 / Rows * model.Readout.Weights[(d * Classes) + c]), 1e-6);
        var other = new FeatureMatrix(Rows, Width, [.. set.Features.Values.ToArray().Select((v, i) => ((3 + (i / Width)) * v) + (i / Width))]);
        Assert.Equal(model.Predict(set.Features), model.Predict(other));
    }

    [Fact]
    public void Logistic_OfSeparateClouds_NamesThem()
    {
        var clouds = Synthetic.Clouds(400, 12, 5, 5, seed: 3);
        var (fit, test) = (clouds.Select([.. Enumerable.Range(0, 300)]), clouds.Select([.. Enumerable.Range(300, 100)]));
        Assert.True(LogisticProbe.Fit(fit).Score(test).Accuracy > 0.95);
    }

    [Fact]
    public void Bfgs_InRosenbrocksValley_ReachesTheMinimum()
    {
        double[] point = [-1.2, 1];
        Assert.True(LimitedMemoryBfgs.Minimise(
            (x, g) =>
            {
                (g[0], g[1]) = ((-400 * x[0] * (x[1] - (x[0] * x[0]))) - (2 * (1 - x[0])), 200 * (x[1] - (x[0] * x[0])));
                return (100 * Math.Pow(x[1] - (x[0] * x[0]), 2)) + Math.Pow(1 - x[0], 2);
            },
            point,
            tolerance: 1e-8,
            iterations: 100));
        Assert.Equal(1, point[0], 7);
        Assert.Equal(1, point[1], 7);
    }
}
