using JepaSharp.Evaluation.Drawing;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Runs.Visualization;

/// <summary>What was measured of pictures drawn from one source's representations.</summary>
/// <param name="Source">Whose.</param>
/// <param name="Correlation">Agreement by correlation of pixels.</param>
/// <param name="Cosine">Agreement by features of random filters.</param>
/// <param name="Spread">What varies between pictures of one representation.</param>
public sealed record SourceMeasures(BlockSource Source, DrawingAgreement Correlation, DrawingAgreement Cosine, DrawingSpread Spread)
{
    /// <summary>Agreement by correlation with the block of the image after: 0 but for chance, by construction.</summary>
    public PairedMean Shuffled { get; init; }
}

/// <summary>Draws from representations, and measures what comes.</summary>
/// <param name="samples">S.</param>
/// <param name="size">Side of the pictures.</param>
/// <param name="seed">Of noise, filters and permutations.</param>
/// <param name="device">Where the decoders are.</param>
internal sealed class DrawingMeasurement(int samples, int size, ulong seed, Device device)
{
    private const int Batch = 32;

    /// <summary>S pictures from each representation, from the same S noises. -> float32 [n, S, 3, size, size] on the CPU.</summary>
    /// <param name="decoder">What draws.</param>
    /// <param name="conditions">float32 [n, D].</param>
    /// <param name="progress">Is told how many pictures are drawn.</param>
    /// <param name="before">How many were drawn before.</param>
    /// <param name="stop">Stops between batches.</param>
    public Tensor Draw(Rcdm decoder, Tensor conditions, IProgress<int>? progress, int before, CancellationToken stop)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var noises = Rcdm.Noise(
            [.. Enumerable.Range(0, samples).Select(s => new RandomStream(seed, RandomPurpose.Evaluation, epoch: 8, sample: s))], size, device);
        var (count, done, drawn) = ((int)conditions.shape[0], before, new List<Tensor>());
        for (var start = 0; start < count; start += Batch)
        {
            var each = Math.Min(Batch, count - start);
            var rows = conditions.narrow(0, start, each);
            var turns = new List<Tensor>();
            for (var s = 0; s < samples; s++)
            {
                stop.ThrowIfCancellationRequested();
                turns.Add(decoder.Draw(rows, noises.narrow(0, s, 1).expand(each, 3, size, size).contiguous()).cpu());
                progress?.Report(done += each);
            }

            drawn.Add(stack(turns, 1));
        }

        return cat(drawn).MoveToOuterDisposeScope();
    }

    /// <summary>Measures pictures against the true ones.</summary>
    /// <param name="who">Whose representations they were drawn from.</param>
    /// <param name="drawn">[n, S, 3, size, size].</param>
    /// <param name="truths">[n, 3, size, size].</param>
    /// <param name="training">Pictures that decoders learned from: their mean, and their features' mean and deviation, are taken away.</param>
    public SourceMeasures Measure(BlockSource who, Tensor drawn, Tensor truths, Tensor training)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var count = (int)truths.shape[0];
        var pictures = new DrawnPictures(count, samples, Numbers(drawn));
        var pixels = DrawingScores.Correlations(pictures, Numbers(truths), Numbers(training.mean([0L])));
        var known = RandomFilterFeatures.Of(training, seed);
        // A feature that hardly varies would outweigh the others.
        var spread = known.std(0, unbiased: true);
        var deviation = spread.Add(spread.mean().Multiply(0.01));
        var rows = new DrawnPictures(count, samples, Numbers(RandomFilterFeatures.Of(drawn.flatten(0, 1), seed)));
        var features = DrawingScores.Cosines(
            rows, Numbers(RandomFilterFeatures.Of(truths, seed)), Numbers(known.mean([0L])), Numbers(deviation));
        var turned = new double[count, count];
        for (var j = 0; j < count; j++)
            for (var i = 0; i < count; i++) turned[j, i] = pixels[(j + 1) % count, i];
        var shuffled = DrawingAgreement.Of(turned, seed, permutations: 1);
        return new SourceMeasures(
            who, DrawingAgreement.Of(pixels, seed), DrawingAgreement.Of(features, seed), DrawingSpread.Of(pictures, channels: 3))
        {
            Shuffled = new PairedMean(shuffled.Mean, shuffled.Error),
        };
    }

    private static float[] Numbers(Tensor tensor)
    {
        using var plain = tensor.detach().to(float32).cpu().contiguous();
        return plain.data<float>().ToArray();
    }
}
