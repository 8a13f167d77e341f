namespace JepaSharp.Evaluation.Probes;

/// <summary>One setting that was tried on held-out fit data.</summary>
/// <param name="Settings">What was tried, by name: learning_rate, weight_decay, penalty.</param>
/// <param name="HeldOut">How well it did there: accuracy, or minus the root mean square error for numbers. Higher is better.</param>
public sealed record Trial(IReadOnlyDictionary<string, double> Settings, double HeldOut);

/// <summary>Chooses a penalty on held-out fit data.</summary>
/// <param name="Penalty">The one chosen.</param>
/// <param name="Trials">Every one that was tried, largest first; none where there was no choice.</param>
internal sealed record PenaltySearch(double Penalty, IReadOnlyList<Trial> Trials)
{
    /// <summary>The penalty with the highest score, tried from the largest down; of equals, the largest. A single one is not tried.</summary>
    /// <param name="penalties">Candidates, each above 0.</param>
    /// <param name="split">Divides the fit data; called only if there is a choice.</param>
    /// <param name="prepare">Turns the division into a score for each penalty.</param>
    public static PenaltySearch Run(IReadOnlyList<double> penalties, Func<HeldOutSplit> split, Func<HeldOutSplit, Func<double, double>> prepare)
    {
        if (penalties.Count == 0 || penalties.Any(p => !(p > 0 && double.IsFinite(p))))
            throw new ArgumentException("Expected at least one penalty, each a finite number above 0.", nameof(penalties));
        if (penalties.Count == 1) return new PenaltySearch(penalties[0], []);

        var score = prepare(split());
        Trial[] trials =
            [.. penalties.OrderDescending().Select(penalty => new Trial(new Dictionary<string, double> { ["penalty"] = penalty }, score(penalty)))];
        return new PenaltySearch(trials.MaxBy(trial => trial.HeldOut)!.Settings["penalty"], trials);
    }
}
