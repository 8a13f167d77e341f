using System.Diagnostics;
using JepaSharp.Evaluation.Probes;

namespace JepaSharp.Evaluation.Tasks;

/// <summary>One number, or several, on the test images, with all that led to it.</summary>
public sealed record ResultRow
{
    /// <summary>What was probed: "target encoder, last layer", "raw pixels".</summary>
    public required string Features { get; init; }

    /// <summary>What with: "20 nearest neighbours", "linear".</summary>
    public required string Probe { get; init; }

    /// <summary>On the test images, by name: accuracy, mean_per_class_accuracy, r2, mean_absolute_error, ...</summary>
    public required IReadOnlyDictionary<string, double> Scores { get; init; }

    /// <summary>The settings chosen, by name.</summary>
    public IReadOnlyDictionary<string, double> Settings { get; init; } = new Dictionary<string, double>();

    /// <summary>The best on held-out fit data, by which features can be chosen; null where nothing was held out.</summary>
    public double? HeldOut { get; init; }

    /// <summary>Every setting that was tried on held-out fit data.</summary>
    public IReadOnlyList<Trial> Trials { get; init; } = [];

    /// <summary>What the features are.</summary>
    public FeatureKind Kind { get; init; }

    /// <summary>Whether it is there to be compared with, and cannot count.</summary>
    public bool IsBaseline => Kind != FeatureKind.Encoder;

    /// <summary>Whether it is the row that counts: of several kinds of features the one that did best on held-out fit data.</summary>
    public bool IsChosen { get; init; }

    /// <summary>Time to fit and score.</summary>
    public double Seconds { get; init; }

    /// <summary>Scores of a classifier by name.</summary>
    public static IReadOnlyDictionary<string, double> ScoresOf(ClassificationScore score) =>
        new Dictionary<string, double> { ["accuracy"] = score.Accuracy, ["mean_per_class_accuracy"] = score.MeanPerClassAccuracy };

    /// <summary>Scores of a regressor by name.</summary>
    public static IReadOnlyDictionary<string, double> ScoresOf(RegressionScore score) => new Dictionary<string, double>
    {
        ["r2"] = score.R2,
        ["mean_absolute_error"] = score.MeanAbsoluteError,
        ["root_mean_square_error"] = score.RootMeanSquareError,
        ["rounded_accuracy"] = score.RoundedAccuracy,
    };
}

/// <summary>Chooses among kinds of features, as the paper does between the last layer and the last four, but on held-out fit data.</summary>
public static class FeatureChoice
{
    /// <summary>The rows, one of them marked: the one with the best held-out result, or the only one. Baselines take no part.</summary>
    /// <remarks>Where several were tried without holding anything out, the first counts.</remarks>
    public static IReadOnlyList<ResultRow> Mark(IReadOnlyList<ResultRow> rows)
    {
        var candidates = rows.Index().Where(row => !row.Item.IsBaseline).ToList();
        if (candidates.Count == 0) return rows;
        var chosen =
            candidates.TrueForAll(row => row.Item.HeldOut is not null) ? candidates.MaxBy(row => row.Item.HeldOut).Index : candidates[0].Index;
        return [.. rows.Index().Select(row => row.Index == chosen ? row.Item with { IsChosen = true } : row.Item)];
    }
}

/// <summary>One kind of features with a class for each image: to fit on, and, sealed, to score on.</summary>
/// <param name="Name">What a person would call the features.</param>
/// <param name="Fit">What is fitted and chosen on.</param>
/// <param name="Test">What the result is scored on.</param>
/// <param name="Kind">What they are.</param>
public sealed record LabelledFeatures(string Name, ClassificationSet Fit, TestSet Test, FeatureKind Kind = FeatureKind.Encoder);

/// <summary>One kind of features with a number for each image: to fit on, and, sealed, to score on.</summary>
/// <param name="Name">What a person would call the features.</param>
/// <param name="Fit">What is fitted and chosen on.</param>
/// <param name="Test">What the result is scored on.</param>
/// <param name="Kind">What they are.</param>
public sealed record NumberedFeatures(string Name, RegressionSet Fit, RegressionTestSet Test, FeatureKind Kind = FeatureKind.Encoder);

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
            Kind = features.Kind,
            Seconds = clock.Elapsed.TotalSeconds,
        };
    }
}

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
        return [.. rows.Select(row => row with { Kind = features.Kind, Seconds = clock.Elapsed.TotalSeconds })];
    }

    /// <summary>Fits, then scores.</summary>
    protected abstract IReadOnlyList<ResultRow> Rows(LabelledFeatures features);

    /// <summary>The row of the probe that looks at nothing.</summary>
    public static ResultRow Majority(LabelledFeatures features) => new()
    {
        Features = "none",
        Probe = "commonest class",
        Scores = ResultRow.ScoresOf(features.Test.Score(Probes.MajorityProbe.Fit(features.Fit))),
        Kind = FeatureKind.Nothing,
    };
}

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
