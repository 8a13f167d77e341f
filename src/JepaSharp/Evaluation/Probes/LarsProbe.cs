using JepaSharp.Configuration;
using JepaSharp.Models;
using JepaSharp.Optimization;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Probes;

/// <summary>Settings of <see cref="LarsProbe"/>: those of MAE (He et al., CVPR 2022, appendix A.1, table 10).</summary>
public sealed record LarsOptions
{
    /// <summary>Peak learning rate for batches of 256; scaled with the batch.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>Passes over the fit set.</summary>
    public int Epochs { get; init; } = 90;

    /// <summary>Passes in which the learning rate rises linearly from 0.</summary>
    public int WarmupEpochs { get; init; } = 10;

    /// <summary>B, images a step; all, where there are fewer.</summary>
    public int BatchSize { get; init; } = 16384;

    /// <summary>Momentum of the gradient.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>LARS's trust coefficient.</summary>
    public double Trust { get; init; } = 0.001;

    /// <summary>Seed of the first weights and of the order of images.</summary>
    public ulong Seed { get; init; }
}

/// <summary>The linear probe as MAE publishes it: batch norm without scale and shift, then one linear layer, trained by LARS.</summary>
/// <remarks>Nothing is chosen, and the last epoch counts. Deviations: features are of unaugmented images, where the published program crops and flips
/// anew in every epoch; it reports the best epoch on the test images.</remarks>
public static class LarsProbe
{
    private const double Deviation = 0.01, Bound = 2;

    /// <summary>Fits the classes of <paramref name="fit"/>.</summary>
    /// <exception cref="ArgumentException">A number out of range.</exception>
    /// <exception cref="JepaException">Images of one class only.</exception>
    public static LinearClassifier Fit(ClassificationSet fit, LarsOptions? options = null)
    {
        options ??= new LarsOptions();
        _ = fit.RequireFittable();
        if (!(options.LearningRate > 0) || options.Epochs < 1 || options.BatchSize < 1)
            throw new ArgumentException("Expected a learning rate above 0 and at least one epoch and one image a step.", nameof(options));
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var batch = Math.Min(options.BatchSize, fit.Count);
        var perEpoch = fit.Count / batch;
        var schedules = new Schedules(new ScheduleOptions
        {
            StepsPerEpoch = perEpoch,
            Epochs = options.Epochs,
            WarmupEpochs = Math.Min(options.WarmupEpochs, options.Epochs / 2),
            StartLearningRate = 0,
            LearningRate = options.LearningRate * batch / 256,
            FinalLearningRate = 0,
            Kind = RateSchedule.Fractional,
        });
        using var head = new LarsHead(Drawn(fit.Classes, fit.Features.Width, options.Seed), zeros(fit.Classes), options);
        var features = fit.Features.ToTensor();
        for (var epoch = 0; epoch < options.Epochs; epoch++)
        {
            var order = Enumerable.Range(0, fit.Count).ToArray();
            new RandomStream(options.Seed, RandomPurpose.Evaluation, epoch).Shuffle(order.AsSpan());
            for (var place = 0; place < perEpoch; place++)
            {
                using var inner = NewDisposeScope();
                int[] rows = order[(place * batch)..((place + 1) * batch)];
                var chosen = tensor(Array.ConvertAll(rows, row => (long)row));
                var labels = tensor(Array.ConvertAll(rows, row => (long)fit.Labels[row]));
                _ = head.Step(features.index_select(0, chosen), labels, schedules.LearningRate(((long)epoch * perEpoch) + place + 1));
            }
        }

        return new LinearClassifier(head.Readout(), 0) { LearningRate = options.LearningRate };
    }

    private static Tensor Drawn(int classes, int width, ulong seed)
    {
        var weights = empty([classes, width]);
        Initialization.TruncatedNormal_(weights, Deviation, Bound, new RandomStream(seed, RandomPurpose.Evaluation, epoch: -1).NextUInt64());
        return weights;
    }
}

/// <summary>Batch norm and a linear layer, and how LARS moves it.</summary>
/// <remarks>
/// You, Gitman and Ginsburg, 2017, as MAE's code has it. With x̂ the features less their batch's mean over its deviation, g the gradient of the mean
/// cross-entropy, W [C, D] and b [C]:
/// <code>
/// g_W &lt;- trust ‖W‖/‖g_W‖ g_W    (1 for the factor where a norm is 0)       g_b as it is
/// v &lt;- momentum v + g           W &lt;- W - rate v
/// </code>
/// Running mean and variance (unbiased) move by 0.1 towards the batch's, and take their place in the end.
/// </remarks>
internal sealed class LarsHead : IDisposable
{
    private const double Epsilon = 1e-6, Pace = 0.1;
    private readonly LarsOptions _options;
    private readonly Tensor _epsilon;

    /// <param name="weights">W [C, D], float32; copied.</param>
    /// <param name="bias">b [C], float32; copied.</param>
    /// <param name="options">Momentum and trust.</param>
    public LarsHead(Tensor weights, Tensor bias, LarsOptions options)
    {
        using var scope = NewDisposeScope();
        _options = options;
        (Weights, Bias) = (weights.clone().DetachFromDisposeScope(), bias.clone().DetachFromDisposeScope());
        (WeightSpeed, BiasSpeed) = (zeros_like(weights).DetachFromDisposeScope(), zeros_like(bias).DetachFromDisposeScope());
        Mean = zeros(weights.shape[1]).DetachFromDisposeScope();
        Variance = ones(weights.shape[1]).DetachFromDisposeScope();
        _epsilon = tensor((float)Epsilon).DetachFromDisposeScope();
    }

    /// <summary>W [C, D].</summary>
    public Tensor Weights { get; }

    /// <summary>b [C].</summary>
    public Tensor Bias { get; }

    /// <summary>Running mean [D].</summary>
    public Tensor Mean { get; }

    /// <summary>Running variance [D].</summary>
    public Tensor Variance { get; }

    private Tensor WeightSpeed { get; }

    private Tensor BiasSpeed { get; }

    /// <summary>One step. -> logits [B, C] and the mean cross-entropy before it.</summary>
    /// <param name="features">float32 [B, D].</param>
    /// <param name="labels">int64 [B].</param>
    /// <param name="rate">The learning rate.</param>
    public (Tensor Logits, double Loss) Step(Tensor features, Tensor labels, double rate)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var mean = features.mean([0L]);
        _ = Mean.Lerp_(mean, Pace);
        if (features.shape[0] > 1) _ = Variance.Lerp_(features.var([0L], unbiased: true, keepdim: false), Pace);
        var x = features.Subtract(mean) * features.var([0L], unbiased: false, keepdim: false).Add(_epsilon).rsqrt();
        var logits = nn.functional.linear(x, Weights, Bias);
        var loss = nn.functional.cross_entropy(logits, labels).item<float>();
        // d loss / d logits = (softmax - truth) / B
        var slope = logits.softmax(1).Subtract(nn.functional.one_hot(labels, Bias.shape[0]).to(float32)).Multiply(1.0 / features.shape[0]);
        var gradient = slope.t().mm(x);
        double norm = Weights.norm().item<float>(), gradientNorm = gradient.norm().item<float>();
        var factor = norm > 0 && gradientNorm > 0 ? _options.Trust * norm / gradientNorm : 1;
        _ = WeightSpeed.Multiply_(_options.Momentum).Add_(gradient.Multiply(factor));
        _ = BiasSpeed.Multiply_(_options.Momentum).Add_(slope.sum([0L]));
        _ = Weights.Add_(WeightSpeed.Multiply(-rate));
        _ = Bias.Add_(BiasSpeed.Multiply(-rate));
        return (logits.MoveToOuterDisposeScope(), loss);
    }

    /// <summary>The map on plain features, by the running mean and variance.</summary>
    public LinearReadout Readout()
    {
        using var scope = NewDisposeScope();
        double[] Of(Tensor numbers) => numbers.to(float64).contiguous().data<double>().ToArray();
        var deviation = Of(Variance).Select(variance => Math.Sqrt(variance + Epsilon)).ToArray();
        return LinearReadout.Unstandardise(new FeatureMoments(Of(Mean), deviation), Of(Weights.t()), Of(Bias));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in (Tensor[])[Weights, Bias, WeightSpeed, BiasSpeed, Mean, Variance, _epsilon]) tensor.Dispose();
    }
}
