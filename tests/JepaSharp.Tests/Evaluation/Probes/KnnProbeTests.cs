using CsCheck;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Probes;

namespace JepaSharp.Tests.Evaluation.Probes;

public sealed class KnnProbeTests
{
    [Fact]
    public void Knn_OnAnyFeatures_AgreesWithEveryPairCompared()
        => Gen.Select(Gen.Int[2, 30], Gen.Int[1, 6], Gen.Int[1, 12], Gen.Double[0.03, 2], Gen.Bool, Gen.ULong).Sample(
            (rows, width, neighbours, temperature, centre, seed) =>
            {
                var fit = new ClassificationSet(
                    Synthetic.Noise(rows, width, seed, offset: 1), [.. Enumerable.Range(0, rows).Select(i => i * 7 % 3 % rows)], 3);
                var test = Synthetic.Noise(15, width, seed + 1, offset: 1);
                var options = new KnnOptions { Neighbours = neighbours, Temperature = temperature, CentreOnFitMean = centre };
                var predicted = KnnProbe.Fit(fit, options).Predict(test);
                for (var i = 0; i < test.Rows; i++)
                {
                    var votes = Votes(fit, test.Row(i), options);
                    // A tie but for rounding may go either way; in one dimension all cosines are 1 or -1.
                    if (width > 1) Assert.True(votes[predicted[i]] >= votes.Max() * (1 - 1e-4), $"image {i}");
                }
            },
            iter: 300);

    [Fact]
    public void Knn_OfACommonOffset_NeedsCentring()
    {
        // Classes differ by a little around a far point: cosines of raw features hardly differ.
        var clouds = Synthetic.Clouds(300, 4, 4, 6, seed: 2);
        var shifted = new FeatureMatrix(300, 4, [.. clouds.Features.Values.ToArray().Select((v, i) => v + (i % 4 == 0 ? 40000f : 0))]);
        var set = new ClassificationSet(shifted, clouds.Labels.ToArray(), 4);
        var (fit, test) = (set.Select([.. Enumerable.Range(0, 200)]), set.Select([.. Enumerable.Range(200, 100)]));
        Assert.InRange(KnnProbe.Fit(fit).Score(test).Accuracy, 0.9, 1);
        Assert.True(KnnProbe.Fit(fit, new KnnOptions { CentreOnFitMean = false }).Score(test).Accuracy
            < KnnProbe.Fit(fit).Score(test).Accuracy);
    }

    [Fact]
    public void Majority_OfAnyImage_AnswersTheCommonestClass()
    {
        var set = new ClassificationSet(Synthetic.Noise(5, 2, 0), [2, 1, 2, 0, 2], 3);
        Assert.Equal(new ClassificationScore(0.6, 1 / 3.0, 5, 3), MajorityProbe.Fit(set).Score(set));
    }

    private static double[] Votes(ClassificationSet fit, ReadOnlySpan<float> query, KnnOptions options)
    {
        var width = fit.Features.Width;
        var mean = new double[width];
        if (options.CentreOnFitMean)
            for (var d = 0; d < width; d++) mean[d] = Enumerable.Range(0, fit.Count).Average(i => (double)fit.Features.Row(i)[d]);
        var cosines = new (double Cosine, int Label)[fit.Count];
        for (var i = 0; i < fit.Count; i++)
        {
            double dot = 0, aa = 0, bb = 0;
            for (var d = 0; d < width; d++)
            {
                double a = fit.Features.Row(i)[d] - mean[d], b = query[d] - mean[d];
                (dot, aa, bb) = (dot + (a * b), aa + (a * a), bb + (b * b));
            }

            cosines[i] = (dot / Math.Sqrt(aa * bb), fit.Labels[i]);
        }

        var votes = new double[fit.Classes];
        foreach (var (cosine, label) in cosines.OrderByDescending(c => c.Cosine).Take(options.Neighbours))
            votes[label] += Math.Exp(cosine / options.Temperature);
        return votes;
    }
}
