using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Probes;

/// <summary>How one head is trained.</summary>
/// <param name="LearningRate">Peak, for batches of 256.</param>
/// <param name="WeightDecay">L2 on the weights: its gradient is added before momentum, as SGD does.</param>
internal readonly record struct HeadSetting(double LearningRate, double WeightDecay);

/// <summary>Trains many linear heads on the same features at once: their weights are neighbouring columns of one matrix.</summary>
/// <remarks>
/// With x̂ [B, D] the features of a batch, each normalised over the batch, and head h with weights W_h [D, C] and bias b_h [C]:
/// <code>
/// p = softmax(x̂ W_h + b_h)                          one product for all heads: [B, D] x [D, H C]
/// g = x̂ᵀ (p - y) / B + decay_h W_h                  the gradient of the mean cross-entropy and of decay_h/2 |W_h|²
/// v &lt;- momentum v + g          W_h &lt;- W_h - rate_h(t) v       rate_h(t) = rate_h B/256 (1 + cos(π t / T)) / 2
/// </code>
/// </remarks>
internal static class HeadGrid
{
    private const double Epsilon = 1e-6; // of the batch norm: MAE's

    /// <summary>One readout for each head, on plain features.</summary>
    public static LinearReadout[] Train(ClassificationSet fit, IReadOnlyList<HeadSetting> heads, LinearOptions options)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        int width = fit.Features.Width, classes = fit.Classes, columns = heads.Count * classes, batch = Math.Min(options.BatchSize, fit.Count);
        Tensor features = fit.Features.ToTensor(), truth = OneHot(fit), epsilon = tensor((float)Epsilon);
        Tensor weights = zeros(width, columns), bias = zeros(columns), weightSpeed = zeros_like(weights), biasSpeed = zeros_like(bias);
        Tensor rates = EachColumn(heads, classes, h => h.LearningRate * batch / 256), decays = EachColumn(heads, classes, h => h.WeightDecay);

        var (stepsPerEpoch, order) = (fit.Count / batch, Array.Empty<long>());
        var steps = Math.Max((long)options.Epochs * stepsPerEpoch, options.LeastSteps);
        for (long step = 0; step < steps; step++)
        {
            using var inner = NewDisposeScope();
            var place = (int)(step % stepsPerEpoch);
            if (place == 0) order = Shuffled(fit.Count, options.Seed, step / stepsPerEpoch);
            var rows = tensor(order.AsSpan(place * batch, batch).ToArray());
            var x = Normalised(features.index_select(0, rows), epsilon);
            var slope = Slope(x.mm(weights).Add(bias).view(batch, heads.Count, classes), truth.index_select(0, rows)).view(batch, columns);

            var rate = rates.Multiply(-0.5 * (1 + Math.Cos(Math.PI * step / steps)));
            _ = weightSpeed.Multiply_(options.Momentum).Add_(x.t().mm(slope)).Add_(weights * decays);
            _ = weights.Add_(weightSpeed * rate);
            _ = biasSpeed.Multiply_(options.Momentum).Add_(slope.sum([0L]));
            _ = bias.Add_(biasSpeed * rate);
        }

        return Readouts(fit.Features, weights, bias, heads.Count, classes);
    }

    /// <summary>[B, D], each feature with mean 0 and variance 1 over the batch.</summary>
    private static Tensor Normalised(Tensor x, Tensor epsilon)
    {
        var centred = x.Subtract(x.mean([0L]));
        return centred * (centred * centred).mean([0L]).Add(epsilon).rsqrt();
    }

    /// <summary>(softmax - y) / B: [B, H, C] from logits [B, H, C] and one-hot truth [B, C].</summary>
    private static Tensor Slope(Tensor logits, Tensor truth) =>
        logits.softmax(-1).Subtract(truth.unsqueeze(1)).Multiply(1.0 / logits.shape[0]).contiguous();

    private static Tensor OneHot(ClassificationSet fit)
    {
        var truth = new float[fit.Count * fit.Classes];
        for (var i = 0; i < fit.Count; i++) truth[(i * fit.Classes) + fit.Labels[i]] = 1;
        return tensor(truth, [fit.Count, fit.Classes]);
    }

    private static Tensor EachColumn(IReadOnlyList<HeadSetting> heads, int classes, Func<HeadSetting, double> number) =>
        tensor(heads.SelectMany(h => Enumerable.Repeat((float)number(h), classes)).ToArray());

    private static long[] Shuffled(int count, ulong seed, long epoch)
    {
        var order = new long[count];
        for (var i = 0; i < count; i++) order[i] = i;
        new RandomStream(seed, RandomPurpose.Evaluation, epoch).Shuffle(order.AsSpan());
        return order;
    }

    private static LinearReadout[] Readouts(FeatureMatrix features, Tensor weights, Tensor bias, int heads, int classes)
    {
        var exact = FeatureMoments.Of(features);
        var moments = exact with { Deviation = Array.ConvertAll(exact.Deviation, d => Math.Sqrt((d * d) + Epsilon)) };
        var readouts = new LinearReadout[heads];
        for (var h = 0; h < heads; h++)
        {
            var head = weights.narrow(1, h * classes, classes).to(ScalarType.Float64).contiguous();
            readouts[h] = LinearReadout.Unstandardise(
                moments, head.data<double>().ToArray(), bias.narrow(0, h * classes, classes).to(ScalarType.Float64).data<double>().ToArray());
        }

        return readouts;
    }
}
