namespace JepaSharp.Evaluation.Probes;

/// <summary>Chooses a penalty on held-out fit data.</summary>
internal static class PenaltySearch
{
    /// <summary>The penalty with the highest score, tried from the largest down; of equals, the largest. A single one is not tried.</summary>
    /// <param name="penalties">Candidates, each above 0.</param>
    /// <param name="split">Divides the fit data; called only if there is a choice.</param>
    /// <param name="prepare">Turns the division into a score for each penalty.</param>
    public static double Best(IReadOnlyList<double> penalties, Func<HeldOutSplit> split, Func<HeldOutSplit, Func<double, double>> prepare)
    {
        if (penalties.Count == 0 || penalties.Any(p => !(p > 0 && double.IsFinite(p))))
            throw new ArgumentException("Expected at least one penalty, each a finite number above 0.", nameof(penalties));
        if (penalties.Count == 1) return penalties[0];

        var score = prepare(split());
        var (best, highest) = (double.NaN, double.NegativeInfinity);
        foreach (var penalty in penalties.OrderDescending())
        {
            var reached = score(penalty);
            if (double.IsNaN(best) || reached > highest) (best, highest) = (penalty, reached);
        }

        return best;
    }
}
