using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Evaluation.Measures;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Models;

namespace JepaSharp.Evaluation;

/// <summary>What an encoder knows of rendered scenes: how many objects there are and how near the nearest is, read out linearly.</summary>
/// <remarks>
/// The two local tasks of the paper's Table 4, with a closed-form ridge probe on pooled features. Probe and scores use scenes that no
/// training has seen: one part fits, the other scores.
/// </remarks>
public sealed class SceneProbe
{
    private readonly FeatureExtractor _extractor;
    private readonly ScenesSource _fit;
    private readonly ScenesSource _test;

    /// <summary>A probe over two sets of scenes.</summary>
    /// <param name="extractor">How features are made.</param>
    /// <param name="fit">Scenes to fit on.</param>
    /// <param name="test">Other scenes to score on.</param>
    public SceneProbe(FeatureExtractor extractor, ScenesSource fit, ScenesSource test) => (_extractor, _fit, _test) = (extractor, fit, test);

    /// <summary>Measures an encoder.</summary>
    /// <returns>rankme; count_accuracy (share of scenes whose rounded count is right), count_r2; distance_r2, distance_mae (scene units).</returns>
    /// <param name="encoder">The encoder.</param>
    /// <param name="progress">Is told how many scenes were looked at.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public IReadOnlyDictionary<string, double> Measure(
        VisionTransformer encoder, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        var fit = _extractor.Pooled(encoder, _fit, null, progress, cancellation);
        var test = _extractor.Pooled(encoder, _test, null, ImageProbe.After(progress, _fit.Count), cancellation);
        var count = Score(fit, test, scene => SceneTargets.Count(scene));
        var distance = Score(fit, test, scene => SceneTargets.NearestDistance(scene));
        var collapse = CollapseMeasures.Of(test.Matrix);
        return new Dictionary<string, double>
        {
            ["rankme"] = collapse.RankMe,
            ["count_accuracy"] = count.RoundedAccuracy,
            ["count_r2"] = count.R2,
            ["distance_r2"] = distance.R2,
            ["distance_mae"] = distance.MeanAbsoluteError,
            ["feature_deviation"] = collapse.Deviation,
            ["mean_cosine"] = collapse.MeanCosine,
        };
    }

    private RegressionScore Score(PooledFeatures fit, PooledFeatures test, Func<Scene, double> target)
    {
        RegressionSet Set(PooledFeatures features, ScenesSource source) =>
            new(features.Matrix, [.. features.Indices.Select(i => target(source.SceneOf(i)))]);
        return RidgeProbe.Fit(Set(fit, _fit)).Score(Set(test, _test));
    }
}

/// <summary>How near a probe's numbers are to the truth.</summary>
/// <param name="R2">1 - squared error / variance of the truth; 0 for its mean, 1 for the truth. NaN where all true values are equal.</param>
/// <param name="MeanAbsoluteError">In the target's unit.</param>
/// <param name="RootMeanSquareError">In the target's unit.</param>
/// <param name="RoundedAccuracy">Share of images whose number, rounded, is the rounded truth: accuracy, for a count.</param>
/// <param name="Images">Images scored.</param>
public sealed record RegressionScore(double R2, double MeanAbsoluteError, double RootMeanSquareError, double RoundedAccuracy, int Images)
{
    /// <summary>Compares predictions with the truth, both [n].</summary>
    internal static RegressionScore Of(ReadOnlySpan<double> predicted, ReadOnlySpan<double> truth)
    {
        var mean = 0.0;
        foreach (var value in truth) mean += value / truth.Length;
        double squares = 0, absolutes = 0, spread = 0;
        var right = 0;
        for (var i = 0; i < truth.Length; i++)
        {
            var error = predicted[i] - truth[i];
            squares += error * error;
            absolutes += Math.Abs(error);
            spread += (truth[i] - mean) * (truth[i] - mean);
            if (Math.Round(predicted[i]) == Math.Round(truth[i])) right++;
        }

        return new RegressionScore(
            spread > 0 ? 1 - (squares / spread) : double.NaN, absolutes / truth.Length, Math.Sqrt(squares / truth.Length),
            (double)right / truth.Length, truth.Length);
    }
}
