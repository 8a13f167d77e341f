using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Probes;

namespace JepaSharp.Tests.Evaluation.Probes;

/// <summary>Probes agree with scikit-learn 1.2.1, whose numbers were recorded once.</summary>
/// <remarks>
/// Data: feature d of image i is sin(1 + 0.37 i (d + 1)) + (0.8 where i mod 3 = d) + 0.25 d as float32, 4 features, classes i mod 3; images 0 to 59
/// to fit on, from 1000 on to score.
/// StandardScaler; LogisticRegression(C = 1 / (60 * 0.05), tol 1e-12); Ridge(alpha = 10) on one-hot targets; KNeighborsClassifier(7, metric cosine,
/// brute, weights exp((1 - d) / 0.3)) on features less their fit mean.
/// </remarks>
public sealed class RecordedProbeTests
{
    private const int Width = 4, Classes = 3;

    [Fact]
    public void Logistic_OnRecordedData_GivesScikitLearnsProbabilities()
    {
        double[] recorded =
        [
            0.345911, 0.54659, 0.107499, 0.344353, 0.261061, 0.394586, 0.562828, 0.221082, 0.21609,
            0.213361, 0.590134, 0.196505, 0.436392, 0.30438, 0.259228, 0.828996, 0.131771, 0.039233,
        ];
        var outputs = LogisticProbe.Fit(Fit(), new LogisticOptions { Penalties = [0.05], Tolerance = 1e-9 }).Readout.Apply(Images(1000, 6));
        for (var i = 0; i < 6; i++)
        {
            var exponentials = outputs.Skip(i * Classes).Take(Classes).Select(Math.Exp).ToArray();
            for (var c = 0; c < Classes; c++) Assert.Equal(recorded[(i * Classes) + c], exponentials[c] / exponentials.Sum(), 2e-6);
        }
    }

    [Fact]
    public void Ridge_OnRecordedData_GivesScikitLearnsOutputs()
    {
        double[] recorded =
        [
            0.441591, 0.489202, 0.069207, 0.350554, 0.253748, 0.395698, 0.499995, 0.259355, 0.24065,
            0.259977, 0.53891, 0.201113, 0.428031, 0.282395, 0.289573, 0.811335, 0.230056, -0.041391,
        ];
        var outputs = RidgeProbe.Fit(Fit(), new RidgeOptions { Penalties = [10] }).Readout.Apply(Images(1000, 6));
        Assert.All(recorded.Zip(outputs), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    [Fact]
    public void Knn_OnRecordedData_NamesScikitLearnsClasses()
    {
        var predicted = KnnProbe.Fit(Fit(), new KnnOptions { Neighbours = 7, Temperature = 0.3 }).Predict(Images(1000, 30));
        Assert.Equal("120120120120112120120100220121", string.Concat(predicted));
    }

    private static ClassificationSet Fit() => new(Images(0, 60), [.. Enumerable.Range(0, 60).Select(i => i % Classes)], Classes);

    private static FeatureMatrix Images(int first, int count) => new(count, Width, [.. Enumerable.Range(first, count).SelectMany(i =>
        Enumerable.Range(0, Width).Select(d => (float)(Math.Sin(1 + (0.37 * i * (d + 1))) + (i % Classes == d ? 0.8 : 0) + (0.25 * d))))]);
}
