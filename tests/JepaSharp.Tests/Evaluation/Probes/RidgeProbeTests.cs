using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Probes;

namespace JepaSharp.Tests.Evaluation.Probes;

public sealed class RidgeProbeTests
{
    [Fact]
    public void Ridge_OfALine_FindsIt()
    {
        var fit = new RegressionSet(new FeatureMatrix(4, 1, [0, 1, 2, 5]), [3, 5, 7, 13]);
        var model = RidgeProbe.Fit(fit, new RidgeOptions { Penalties = [1e-9] });
        Assert.Equal([23, 1], model.Predict(new FeatureMatrix(2, 1, [10, -1])).Select(y => Math.Round(y, 6)));
        Assert.Equal(1, model.Score(fit).R2, 9);
    }

    /// <summary>The same minimum found another way: elimination on features as they are, with the penalty scaled instead of the features.</summary>
    [Theory]
    [InlineData(0.5)]
    [InlineData(50)]
    [InlineData(5000)]
    public void Ridge_AtAPenalty_AgreesWithGaussianElimination(double penalty)
    {
        const int Rows = 60, Width = 5;
        var features = Synthetic.Clouds(Rows, Width, 2, 1, seed: 4).Features;
        var target = Enumerable.Range(0, Rows).Select(i => Math.Sin(i) + features.Row(i)[2]).ToArray();

        // [X 1]'[X 1] + diag(p var(x_d), 0), and [X 1]'y
        var system = new double[Width + 1, Width + 2];
        for (var i = 0; i < Rows; i++)
        {
            double[] x = [.. features.Row(i).ToArray().Select(v => (double)v), 1, target[i]];
            for (var r = 0; r <= Width; r++)
                for (var c = 0; c <= Width + 1; c++) system[r, c] += x[r] * x[c];
        }

        for (var d = 0; d < Width; d++)
        {
            var column = Enumerable.Range(0, Rows).Select(i => (double)features.Row(i)[d]).ToArray();
            system[d, d] += penalty * column.Average(v => Math.Pow(v - column.Average(), 2));
        }

        var solution = Eliminate(system);
        var model = RidgeProbe.Fit(new RegressionSet(features, target), new RidgeOptions { Penalties = [penalty] });
        var predicted = model.Predict(features);
        for (var i = 0; i < Rows; i++)
            Assert.Equal(features.Row(i).ToArray().Select((v, d) => v * solution[d]).Sum() + solution[Width], predicted[i], 9);
    }

    [Fact]
    public void Ridge_OfSeparateClouds_NamesThem()
    {
        var clouds = Synthetic.Clouds(400, 12, 5, 5, seed: 2);
        var (fit, test) = (clouds.Select([.. Enumerable.Range(0, 300)]), clouds.Select([.. Enumerable.Range(300, 100)]));
        Assert.True(RidgeProbe.Fit(fit).Score(test).Accuracy > 0.95);
        Assert.InRange(RidgeProbe.Fit(new ClassificationSet(Synthetic.Noise(300, 12, 9), fit.Labels.ToArray(), 5)).Score(test).Accuracy, 0, 0.5);
    }

    [Fact]
    public void Ridge_WithAChoice_PenalisesNoiseMoreThanSignal()
    {
        var noise = Synthetic.Noise(80, 60, 5);
        var signal = Enumerable.Range(0, 80).Select(i => (double)noise.Row(i)[0] - noise.Row(i)[1]).ToArray();
        var unrelated = Enumerable.Range(0, 80).Select(i => Math.Sin(i * i)).ToArray();
        var chosenForSignal = RidgeProbe.Fit(new RegressionSet(noise, signal)).Penalty;
        var chosenForNoise = RidgeProbe.Fit(new RegressionSet(noise, unrelated)).Penalty;
        Assert.True(chosenForSignal <= 1, $"{chosenForSignal}");
        Assert.True(chosenForNoise >= 1000, $"{chosenForNoise}");
    }

    [Fact]
    public void Ridge_OfAConstantFeature_LeavesItOut()
    {
        var fit = new RegressionSet(new FeatureMatrix(3, 2, [1, 1e6f, 2, 1e6f, 3, 1e6f]), [1, 2, 3]);
        var model = RidgeProbe.Fit(fit, new RidgeOptions { Penalties = [1e-9] });
        Assert.Equal(4, model.Predict(new FeatureMatrix(1, 2, [4, -7e6f]))[0], 6);
    }

    [Fact]
    public void Ridge_OfBadPenalties_IsRefused()
    {
        var fit = new RegressionSet(Synthetic.Noise(5, 2, 0), new double[5]);
        Assert.Throws<ArgumentException>(() => RidgeProbe.Fit(fit, new RidgeOptions { Penalties = [] }));
        Assert.Throws<ArgumentException>(() => RidgeProbe.Fit(fit, new RidgeOptions { Penalties = [0, 1] }));
        Assert.Throws<ArgumentOutOfRangeException>(() => RidgeProbe.Fit(fit, new RidgeOptions { HeldOutShare = 1 }));
    }

    private static double[] Eliminate(double[,] system)
    {
        var n = system.GetLength(0);
        for (var pivot = 0; pivot < n; pivot++)
        {
            for (var row = 0; row < n; row++)
            {
                if (row == pivot) continue;
                var times = system[row, pivot] / system[pivot, pivot];
                for (var c = 0; c <= n; c++) system[row, c] -= times * system[pivot, c];
            }
        }

        return [.. Enumerable.Range(0, n).Select(i => system[i, n] / system[i, i])];
    }
}
