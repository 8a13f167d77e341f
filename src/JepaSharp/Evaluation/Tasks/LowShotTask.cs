namespace JepaSharp.Evaluation.Tasks;

/// <summary>A probe fitted on each of several small subsets and scored on all test images; the mean counts.</summary>
/// <param name="method">The probe.</param>
/// <param name="subsets">Rows of the fit set that each subset is made of.</param>
public sealed class LowShotTask(ProbeTask method, IReadOnlyList<int[]> subsets) : ProbeTask
{
    /// <inheritdoc/>
    public override string Name => method.Name;

    /// <inheritdoc/>
    public override object Recipe => new { Images = subsets.Select(s => s.Length).ToArray(), method.Recipe };

    /// <inheritdoc/>
    protected override IReadOnlyList<ResultRow> Rows(LabelledFeatures features)
    {
        var rows = subsets.Select(subset => method.Run(features with { Fit = features.Fit.Select(subset) })[0]).ToList();
        return [Summary(features.Name, method.Name, rows)];
    }

    /// <summary>Means over subsets, and the deviation of the accuracy.</summary>
    public static ResultRow Summary(string features, string probe, IReadOnlyList<ResultRow> rows)
    {
        var accuracies = rows.Select(r => r.Scores["accuracy"]).ToList();
        var mean = accuracies.Average();
        var scores = rows[0].Scores.Keys.ToDictionary(key => key, key => rows.Average(r => r.Scores[key]));
        // Sample deviation: with n - 1.
        scores["accuracy_deviation"] = rows.Count < 2 ? 0 : Math.Sqrt(accuracies.Sum(a => (a - mean) * (a - mean)) / (rows.Count - 1));
        foreach (var (draw, accuracy) in accuracies.Index()) scores[$"accuracy_of_draw_{draw + 1}"] = accuracy;
        return new ResultRow
        {
            Features = features,
            Probe = rows.Count == 1 ? probe : $"{probe}, {rows.Count} draws",
            Scores = scores,
            HeldOut = rows.All(r => r.HeldOut is not null) ? rows.Average(r => r.HeldOut) : null,
            Trials = [.. rows.SelectMany(r => r.Trials)],
        };
    }
}
