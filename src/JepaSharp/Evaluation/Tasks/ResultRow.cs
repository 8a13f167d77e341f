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

    /// <summary>Whether it is there to be beaten.</summary>
    public bool IsBaseline { get; init; }

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
