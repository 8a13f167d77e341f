namespace JepaSharp.Evaluation.Probes;

/// <summary>Settings of <see cref="LinearProbe"/>.</summary>
public sealed record LinearOptions
{
    /// <summary>Learning rates to try, for batches of 256; scaled with the batch.</summary>
    public IReadOnlyList<double> LearningRates { get; init; } = [0.01, 0.03, 0.1, 0.3, 1];

    /// <summary>Weight decays to try.</summary>
    public IReadOnlyList<double> WeightDecays { get; init; } = [0, 1e-4, 1e-3];

    /// <summary>Passes over the fit set.</summary>
    public int Epochs { get; init; } = 50;

    /// <summary>Steps to take at least, whatever the number of images.</summary>
    public int LeastSteps { get; init; } = 1000;

    /// <summary>B, images a step; all, where there are fewer.</summary>
    public int BatchSize { get; init; } = 256;

    /// <summary>Momentum of the gradient.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Share of the fit data held out for the choice, between 0 and 1.</summary>
    public double HeldOutShare { get; init; } = 0.1;

    /// <summary>Seed of the split and of the order of images.</summary>
    public ulong Seed { get; init; }

    /// <summary>Every pair of a learning rate and a weight decay.</summary>
    internal IReadOnlyList<HeadSetting> Heads() => [.. LearningRates.SelectMany(rate => WeightDecays.Select(decay => new HeadSetting(rate, decay)))];
}

/// <summary>The linear probe that is trained by gradient descent: batch norm without scale and shift, then one linear layer.</summary>
/// <remarks>
/// As in MAE (He et al., 2022, appendix A.1: batch norm without affine before the classifier) and the paper (appendix A.2), with SGD, momentum 0.9
/// and a cosine to zero. One head for every pair of learning rate and weight decay; all are trained side by side, as the columns of one matrix, in
/// the same passes over the features. The head that is best on a held-out part of the fit set is trained again on all of it.
/// Deviations: heads begin at zero, so that nothing but the order of images is random; biases are not decayed; after training the norm uses the
/// exact mean and variance of the fit set, not a running estimate.
/// </remarks>
public static class LinearProbe
{
    /// <summary>Fits the classes of <paramref name="fit"/>.</summary>
    /// <returns>The classifier; its penalty is the weight decay, its trials the whole grid.</returns>
    /// <exception cref="ArgumentException">An empty grid, or a number out of range.</exception>
    /// <exception cref="Runtime.JepaException">Images of one class only, or too few to hold any out.</exception>
    public static LinearClassifier Fit(ClassificationSet fit, LinearOptions? options = null)
    {
        options ??= new LinearOptions();
        _ = fit.RequireFittable();
        var heads = options.Heads();
        if (heads.Count == 0 || heads.Any(h => !(h.LearningRate > 0 && h.WeightDecay >= 0)))
            throw new ArgumentException("Expected at least one learning rate above 0 and one weight decay of at least 0.", nameof(options));
        Trial[] trials = heads.Count == 1 ? [] : Try(fit, heads, options);
        var best = trials.Length == 0 ? heads[0] : heads[trials.Index().MaxBy(t => t.Item.HeldOut).Index];
        return new LinearClassifier(HeadGrid.Train(fit, [best], options)[0], best.WeightDecay) { Trials = trials, LearningRate = best.LearningRate };
    }

    private static Trial[] Try(ClassificationSet fit, IReadOnlyList<HeadSetting> heads, LinearOptions options)
    {
        var split = HeldOutSplit.ByClass(fit.Labels, fit.Classes, options.HeldOutShare, options.Seed);
        var heldOut = fit.Select(split.HeldOut);
        var readouts = HeadGrid.Train(fit.Select(split.Fit), heads, options);
        return [.. heads.Zip(readouts, (head, readout) => new Trial(
            new Dictionary<string, double> { ["learning_rate"] = head.LearningRate, ["weight_decay"] = head.WeightDecay },
            new LinearClassifier(readout, head.WeightDecay).Score(heldOut).Accuracy))];
    }
}
