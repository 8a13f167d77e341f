using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Evaluation.Probes;

public sealed class LinearProbeTests
{
    [Fact]
    public void Heads_TrainedSideBySide_AreThoseOfAWrittenOutLoop()
    {
        var fit = Synthetic.Clouds(50, 3, 3, 1.5, seed: 4);
        var options = new LinearOptions { BatchSize = 16, Epochs = 4, LeastSteps = 1, Seed = 9 };
        HeadSetting[] heads = [new(2, 0), new(6, 0.01)];
        var trained = HeadGrid.Train(fit, heads, options);
        for (var h = 0; h < heads.Length; h++)
        {
            var expected = WrittenOut(fit, heads[h], options);
            var outputs = trained[h].Apply(fit.Features);
            Assert.All(expected.Zip(outputs), pair => Assert.Equal(pair.First, pair.Second, 2e-3));
            Assert.Contains(outputs, o => Math.Abs(o) > 0.5); // it did learn
        }
    }

    [Fact]
    public void Head_TrainedToTheEnd_IsTheMinimumThatLogisticRegressionFinds()
    {
        // All images in each batch: plain gradient descent on the same convex loss.
        var fit = Synthetic.Clouds(128, 4, 3, 1, seed: 5);
        var linear = LinearProbe.Fit(fit, new LinearOptions { LearningRates = [1], WeightDecays = [0.02], LeastSteps = 3000 });
        var logistic = LogisticProbe.Fit(fit, new LogisticOptions { Penalties = [0.02], Tolerance = 1e-8 });
        Assert.All(linear.Readout.Apply(fit.Features).Zip(logistic.Readout.Apply(fit.Features)), pair => Assert.Equal(pair.First, pair.Second, 5e-3));
    }

    [Fact]
    public void Linear_OverAGrid_ChoosesTheBestOnHeldOutFitData()
    {
        var clouds = Synthetic.Clouds(400, 12, 5, 4, seed: 3);
        var (fit, test) = (clouds.Select([.. Enumerable.Range(0, 300)]), clouds.Select([.. Enumerable.Range(300, 100)]));
        var model = LinearProbe.Fit(fit, new LinearOptions { LearningRates = [0.03, 0.3], WeightDecays = [0, 0.001], LeastSteps = 200, Epochs = 1 });
        Assert.Equal(4, model.Trials.Count);
        var best = model.Trials.Max(t => t.HeldOut);
        Assert.Contains(
            model.Trials, t => t.HeldOut == best && t.Settings["learning_rate"] == model.LearningRate && t.Settings["weight_decay"] == model.Penalty);
        Assert.True(model.Score(test).Accuracy > 0.9);
    }

    /// <summary>One head, image by image, in double precision.</summary>
    private static double[] WrittenOut(ClassificationSet fit, HeadSetting head, LinearOptions options)
    {
        int width = fit.Features.Width, classes = fit.Classes, batch = options.BatchSize, perEpoch = fit.Count / batch,
        steps = options.Epochs * perEpoch;
        double[,] w = new double[width, classes], vw = new double[width, classes];
        double[] b = new double[classes], vb = new double[classes];
        long[] order = [];
        for (var step = 0; step < steps; step++)
        {
            if (step % perEpoch == 0)
            {
                order = [.. Enumerable.Range(0, fit.Count).Select(i => (long)i)];
                new RandomStream(options.Seed, RandomPurpose.Evaluation, step / perEpoch).Shuffle(order.AsSpan());
            }

            var rows = order.Skip(step % perEpoch * batch).Take(batch).Select(i => (int)i).ToArray();
            var mean = Enumerable.Range(0, width).Select(d => rows.Average(i => (double)fit.Features.Row(i)[d])).ToArray();
            var deviation =
                Enumerable.Range(0, width).Select(d => Math.Sqrt(rows.Average(i => Math.Pow(fit.Features.Row(i)[d] - mean[d], 2)) + 1e-6)).ToArray();
            double[,] gw = new double[width, classes];
            var gb = new double[classes];
            foreach (var i in rows)
            {
                var x = Enumerable.Range(0, width).Select(d => (fit.Features.Row(i)[d] - mean[d]) / deviation[d]).ToArray();
                var e = Enumerable.Range(0, classes).Select(c => Math.Exp(b[c] + Enumerable.Range(0, width).Sum(d => x[d] * w[d, c]))).ToArray();
                for (var c = 0; c < classes; c++)
                {
                    var error = ((e[c] / e.Sum()) - (fit.Labels[i] == c ? 1 : 0)) / batch;
                    gb[c] += error;
                    for (var d = 0; d < width; d++) gw[d, c] += error * x[d];
                }
            }

            var rate = head.LearningRate * batch / 256 * (1 + Math.Cos(Math.PI * step / steps)) / 2;
            for (var c = 0; c < classes; c++)
            {
                vb[c] = (options.Momentum * vb[c]) + gb[c];
                b[c] -= rate * vb[c];
                for (var d = 0; d < width; d++)
                {
                    vw[d, c] = (options.Momentum * vw[d, c]) + gw[d, c] + (head.WeightDecay * w[d, c]);
                    w[d, c] -= rate * vw[d, c];
                }
            }
        }

        var moments = FeatureMoments.Of(fit.Features);
        return [.. Enumerable.Range(0, fit.Count).SelectMany(i => Enumerable.Range(0, classes).Select(c => b[c] + Enumerable.Range(0, width).Sum(d =>
            (fit.Features.Row(i)[d] - moments.Mean[d]) / Math.Sqrt(Math.Pow(moments.Deviation[d], 2) + 1e-6) * w[d, c])))];
    }
}
