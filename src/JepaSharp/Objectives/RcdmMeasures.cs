using System.Globalization;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>What a decoder loses when it is told of another picture: its loss with each picture's own representation against that with another's,
/// by bands of steps.</summary>
/// <param name="First">First step of the band.</param>
/// <param name="Last">Last step of the band.</param>
/// <param name="Own">Mean loss with each picture's own representation.</param>
/// <param name="Others">Mean loss with another picture's, at the same steps and noise.</param>
/// <param name="Error">Standard error of their difference, paired by picture.</param>
public sealed record ConditionGain(int First, int Last, double Own, double Others, double Error)
{
    /// <summary>How much is lost: above 0 where the representation is used.</summary>
    public double Gain => Others - Own;
}

/// <summary>What RCDM says of itself: no picture need be drawn for it.</summary>
public static class RcdmMeasures
{
    /// <summary>Bands that the steps are divided into.</summary>
    public const int Bands = 4;

    private const int Batch = 64;

    /// <summary>The gain in each band, and last that over all steps. Steps and noise are keyed; the representations are each other's in turn, picture
    /// i's those of picture i + 1.</summary>
    /// <param name="objective">The decoder; its average is asked.</param>
    /// <param name="pictures">float32 [n, 3, S, S], -1 to 1; n at least 2.</param>
    /// <param name="conditions">float32 [n, D].</param>
    /// <param name="seed">Keys steps and noise.</param>
    /// <param name="stop">Stops between batches.</param>
    public static IReadOnlyList<ConditionGain> Gains(
        Rcdm objective, Tensor pictures, Tensor conditions, ulong seed, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(objective);
        ArgumentNullException.ThrowIfNull(pictures);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var (count, steps) = ((int)pictures.shape[0], objective.Options.Diffusion.Schedule.Count);
        var told = objective.Scale.forward(conditions);
        var others = told.roll([-1L], [0L]);
        var (own, other) = (new double[Bands + 1][], new double[Bands + 1][]);
        for (var band = 0; band < Bands; band++)
        {
            var (first, end) = (band * steps / Bands, (band + 1) * steps / Bands);
            (own[band], other[band]) = (new double[count], new double[count]);
            for (var start = 0; start < count; start += Batch)
            {
                stop.ThrowIfCancellationRequested();
                using var inner = NewDisposeScope();
                var size = Math.Min(Batch, count - start);
                RandomStream[] streams =
                    [.. Enumerable.Range(start, size).Select(i => new RandomStream(seed, RandomPurpose.Evaluation, band, i))];
                int[] drawn = new int[size];
                for (var i = 0; i < size; i++) drawn[i] = first + streams[i].NextInt(Math.Max(1, end - first));
                var noise = Rcdm.Noise(streams, pictures.shape[3], pictures.device);
                var images = pictures.narrow(0, start, size);
                Losses(objective, images, told.narrow(0, start, size), drawn, noise).CopyTo(own[band], start);
                Losses(objective, images, others.narrow(0, start, size), drawn, noise).CopyTo(other[band], start);
            }
        }

        own[Bands] = [.. Enumerable.Range(0, count).Select(i => own[..Bands].Average(b => b[i]))];
        other[Bands] = [.. Enumerable.Range(0, count).Select(i => other[..Bands].Average(b => b[i]))];
        return
        [
            .. Enumerable.Range(0, Bands + 1).Select(b => Gain(
                b == Bands ? 0 : b * steps / Bands, (b == Bands ? steps : (b + 1) * steps / Bands) - 1, own[b], other[b])),
        ];
    }

    /// <summary>On the monitors' images: the loss, that with other images' representations, and what the difference is by bands of steps.</summary>
    internal static IReadOnlyDictionary<string, double> Of(Rcdm objective, MonitoredImages images)
    {
        if (images.Masked == 0) return new Dictionary<string, double>();
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        List<Tensor> pictures = [], conditions = [];
        var seen = 0;
        foreach (var batch in images.Batches)
        {
            if (seen >= images.Masked) break;
            using var views = new ViewBatch(
                new Dictionary<string, Tensor> { [objective.Options.Pairs.View.Name] = images.Scaling.ToImages(batch).DetachFromDisposeScope() },
                batch.Indices);
            var (shown, told) = objective.Options.Pairs.Of(views, images.Step);
            pictures.Add(shown.clone());
            conditions.Add(told);
            seen += batch.Count;
        }

        if (seen < 2) return new Dictionary<string, double>();
        var gains = Gains(objective, cat(pictures), cat(conditions), images.Seed);
        var measures = new OrderedDictionary<string, double> { ["loss"] = gains[^1].Own, ["shuffled_loss"] = gains[^1].Others };
        foreach (var band in gains.SkipLast(1))
            measures[string.Create(CultureInfo.InvariantCulture, $"gain_{band.First}_{band.Last}")] = band.Gain;
        return measures;
    }

    private static double[] Losses(Rcdm objective, Tensor pictures, Tensor told, int[] steps, Tensor noise)
    {
        using var scope = NewDisposeScope();
        var diffusion = objective.Options.Diffusion;
        var noisy = diffusion.Noised(pictures, steps, noise);
        var output = objective.Average.Forward(noisy, diffusion.Told(steps, pictures.device), told);
        var target = diffusion.Predicts == Configuration.DiffusionTarget.Image ? pictures : noise;
        return [.. target.Subtract(output.narrow(1, 0, 3)).square().mean([1L, 2, 3]).cpu().data<float>().Select(v => (double)v)];
    }

    private static ConditionGain Gain(int first, int last, double[] own, double[] others)
    {
        double[] gains = [.. own.Zip(others, (o, x) => x - o)];
        var mean = gains.Average();
        var error = Math.Sqrt(gains.Sum(g => (g - mean) * (g - mean)) / (gains.Length - 1) / gains.Length);
        return new ConditionGain(first, last, own.Average(), others.Average(), error);
    }
}
