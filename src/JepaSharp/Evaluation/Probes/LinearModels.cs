namespace JepaSharp.Evaluation.Probes;

/// <summary>A fitted linear classifier: the class with the largest affine output.</summary>
public sealed class LinearClassifier : Classifier
{
    internal LinearClassifier(LinearReadout readout, double penalty) => (Readout, Penalty) = (readout, penalty);

    /// <summary>The L2 penalty it was fitted with: the given one, or the one that did best on held-out fit data.</summary>
    public double Penalty { get; }

    /// <summary>Every setting that was tried on held-out fit data; none where there was no choice.</summary>
    public IReadOnlyList<Trial> Trials { get; internal init; } = [];

    /// <summary>The learning rate that it was trained with; null where it was not trained by steps.</summary>
    public double? LearningRate { get; internal init; }

    /// <inheritdoc/>
    public override int[] Predict(FeatureMatrix features) => Readout.Largest(features);

    internal LinearReadout Readout { get; }
}

/// <summary>A fitted linear regressor.</summary>
public sealed class LinearRegressor
{
    private readonly LinearReadout _readout;

    internal LinearRegressor(LinearReadout readout, double penalty) => (_readout, Penalty) = (readout, penalty);

    /// <summary>The L2 penalty it was fitted with: the given one, or the one that did best on held-out fit data.</summary>
    public double Penalty { get; }

    /// <summary>Every setting that was tried on held-out fit data; none where there was no choice.</summary>
    public IReadOnlyList<Trial> Trials { get; internal init; } = [];

    /// <summary>A number for each image: [n].</summary>
    public double[] Predict(FeatureMatrix features) => _readout.Apply(features);

    /// <summary>Predicts a test set and compares.</summary>
    public RegressionScore Score(RegressionSet test) => RegressionScore.Of(Predict(test.Features), test.Values);
}
