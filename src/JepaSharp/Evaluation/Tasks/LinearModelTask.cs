using JepaSharp.Evaluation.Probes;

namespace JepaSharp.Evaluation.Tasks;

/// <summary>A linear model: trained by steps, by L-BFGS, or in closed form; its settings chosen on held-out fit data.</summary>
public sealed class LinearModelTask : ProbeTask
{
    private readonly Func<ClassificationSet, LinearClassifier> _fit;

    private LinearModelTask(string name, object recipe, Func<ClassificationSet, LinearClassifier> fit) => (Name, Recipe, _fit) = (name, recipe, fit);

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override object Recipe { get; }

    /// <summary>Batch norm and a linear layer, trained by SGD.</summary>
    public static LinearModelTask Linear(LinearOptions options) => new("linear", options, fit => LinearProbe.Fit(fit, options));

    /// <summary>Batch norm and a linear layer, trained by LARS as MAE publishes it.</summary>
    public static LinearModelTask Lars(LarsOptions options) => new("linear, MAE's recipe", options, fit => LarsProbe.Fit(fit, options));

    /// <summary>Logistic regression by L-BFGS.</summary>
    public static LinearModelTask Logistic(LogisticOptions options) => new("logistic", options, fit => LogisticProbe.Fit(fit, options));

    /// <summary>Ridge regression to one-hot targets.</summary>
    public static LinearModelTask Ridge(RidgeOptions options) => new("ridge", options, fit => RidgeProbe.Fit(fit, options));

    /// <inheritdoc/>
    protected override IReadOnlyList<ResultRow> Rows(LabelledFeatures features)
    {
        var fitted = _fit(features.Fit);
        var settings = fitted.LearningRate is { } rate
            ? new Dictionary<string, double> { ["learning_rate"] = rate, ["weight_decay"] = fitted.Penalty }
            : new Dictionary<string, double> { ["penalty"] = fitted.Penalty };
        return
        [
            new ResultRow
            {
                Features = features.Name,
                Probe = Name,
                Scores = ResultRow.ScoresOf(features.Test.Score(fitted)),
                Settings = settings,
                HeldOut = fitted.Trials.Count > 0 ? fitted.Trials.Max(t => t.HeldOut) : null,
                Trials = fitted.Trials,
            },
        ];
    }
}
