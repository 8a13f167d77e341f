namespace JepaSharp.Evaluation;

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
            spread > 0 ? 1 - (squares / spread) : double.NaN, absolutes / truth.Length, Math.Sqrt(squares / truth.Length), (double)right / truth.Length, truth.Length);
    }
}
