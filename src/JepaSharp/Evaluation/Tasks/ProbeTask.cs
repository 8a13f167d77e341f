using System.Diagnostics;

namespace JepaSharp.Evaluation.Tasks;

/// <summary>A probe with its recipe: fits and chooses on one set, scores on the other.</summary>
public abstract class ProbeTask
{
    /// <summary>What a person would call the probe.</summary>
    public abstract string Name { get; }

    /// <summary>The recipe, to repeat it: every setting by name.</summary>
    public abstract object Recipe { get; }

    /// <summary>What a user should know of the rows, a sentence each; complete when all rows are made.</summary>
    public virtual IReadOnlyList<string> Notes => [];

    /// <summary>The rows for one kind of features, the main one first.</summary>
    public IReadOnlyList<ResultRow> Run(LabelledFeatures features)
    {
        var clock = Stopwatch.StartNew();
        var rows = Rows(features);
        return [.. rows.Select(row => row with { IsBaseline = features.IsBaseline, Seconds = clock.Elapsed.TotalSeconds })];
    }

    /// <summary>Fits, then scores.</summary>
    protected abstract IReadOnlyList<ResultRow> Rows(LabelledFeatures features);

    /// <summary>The row of the probe that looks at nothing.</summary>
    public static ResultRow Majority(LabelledFeatures features) => new()
    {
        Features = "none",
        Probe = "commonest class",
        Scores = ResultRow.ScoresOf(features.Test.Score(Probes.MajorityProbe.Fit(features.Fit))),
        IsBaseline = true,
    };
}
