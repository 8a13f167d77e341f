using System.Diagnostics;
using JepaSharp.Evaluation.Probes;

namespace JepaSharp.Evaluation.Tasks;

/// <summary>Ridge regression to the numbers of a column.</summary>
public static class RegressionTask
{
    /// <summary>Fits, then scores.</summary>
    public static ResultRow Run(NumberedFeatures features, RidgeOptions options)
    {
        var clock = Stopwatch.StartNew();
        var fitted = RidgeProbe.Fit(features.Fit, options);
        return new ResultRow
        {
            Features = features.Name,
            Probe = "ridge regression",
            Scores = ResultRow.ScoresOf(features.Test.Score(fitted)),
            Settings = new Dictionary<string, double> { ["penalty"] = fitted.Penalty },
            HeldOut = fitted.Trials.Count > 0 ? fitted.Trials.Max(t => t.HeldOut) : null,
            Trials = fitted.Trials,
            IsBaseline = features.IsBaseline,
            Seconds = clock.Elapsed.TotalSeconds,
        };
    }
}
