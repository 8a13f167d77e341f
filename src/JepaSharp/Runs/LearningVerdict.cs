using System.Globalization;
using JepaSharp.Objectives;
using JepaSharp.Reports;
using JepaSharp.Runtime;
using JepaSharp.Training;

namespace JepaSharp.Runs;

/// <summary>Whether a run's own measures say that its encoder knows more than the one it began with.</summary>
/// <remarks>Probes decide where there are labels. Without, the spread of features does: in the runs of docs/experiments.md whose probes rose, RankMe
/// ended above where it began, and those that ended well below it had learned nothing or little. That holds of I-JEPA alone.</remarks>
public static class LearningVerdict
{
    /// <summary>A score has to rise by more than this, in its own unit: less is chance on a few thousand images.</summary>
    public const double LeastGain = 0.01;

    /// <summary>Features that spread over less than this share of the directions they began with have lost something.</summary>
    public const double LeastShareOfRank = 0.8;

    private const string Rank = "rankme", Cosine = "mean_cosine";
    private const int FewSteps = 3000;

    /// <summary>What is to be said of a run that learned nothing; null for one that did, or of which that cannot be told.</summary>
    /// <param name="before">Measures by name, before the first step.</param>
    /// <param name="after">Measures by name, after the last.</param>
    /// <param name="steps">Steps of the run.</param>
    /// <param name="objective">What was learned: one of <see cref="KnownObjectives"/>, or another.</param>
    public static string? Of(
        IReadOnlyDictionary<string, double> before, IReadOnlyDictionary<string, double> after, long steps, string objective = ImageJepa.ShortName)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        string[] scores = [.. after.Keys.Where(name => MeasureWords.IsProbeScore(name) && before.ContainsKey(name))];
        var told = scores.Length > 0 ? scores : after.ContainsKey(Rank) && before.ContainsKey(Rank) ? [Rank] : [];
        if (told.Length == 0 || told.Any(name => IsBetter(name, before[name], after[name]))) return null;
        if (scores.Length == 0)
        {
            // Class tokens of untrained encoders spread widely, and less when they have learned: a rank that falls tells nothing of them.
            if (objective != ImageJepa.ShortName) return null;
            var isSpread = after[Rank] >= LeastShareOfRank * before[Rank];
            if (isSpread || !(after.GetValueOrDefault(Cosine) > before.GetValueOrDefault(Cosine))) return null;
            told = [Rank, Cosine];
        }

        var numbers = string.Join(
            "; ", told.Select(name => $"{MeasureWords.Of(name)} {Number(name, before[name])} before, {Number(name, after[name])} now"));
        var said = scores.Length > 0 ? "no probe of its features is better than before the first step"
            : "its features tell images less apart than before the first step";
        var reason = steps < FewSteps
            ? $"{Quantity.Of(steps, "step")} are few: give it longer (--minutes, or more epochs), or begin with weights that know something (--init)"
            : "if the monitors warned, do what they say; else try a lower learning rate, or begin with weights that know something (--init)";
        var other = objective == ImageJepa.ShortName ? " MAE learns more from a small folder in the same time (--objective mae)." : "";
        return $"this run has learned nothing that its measures can see: {said} ({numbers}). Likeliest: {reason}.{other}";
    }

    private static bool IsBetter(string name, double before, double after) =>
        name == Rank ? after > before : double.IsNaN(after) || double.IsNaN(before) || after > before + LeastGain;

    private static string Number(string name, double value) => MeasureWords.IsShare(name)
        ? string.Create(CultureInfo.InvariantCulture, $"{100 * value:F1} %")
        : value.ToString("0.###", CultureInfo.InvariantCulture);
}
