using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Runtime;

namespace JepaSharp.Monitoring;

/// <summary>The images that monitors look at, the same throughout a run: drawn once, keyed by the run's seed, kept as bytes.</summary>
public sealed class MonitorSample
{
    private const int LargestBatch = 32;

    /// <summary>Multiplications of a batch, about: a second or less on two cores, so that a stop is soon obeyed.</summary>
    private const double WorkOfABatch = 1e11;

    private MonitorSample(IReadOnlyList<ImageBatch> batches, MonitorSize size, ulong seed) => (Batches, Size, Seed) = (batches, size, seed);

    /// <summary>All images, in batches of one size but for the last.</summary>
    public IReadOnlyList<ImageBatch> Batches { get; }

    /// <summary>How many of them are looked at closely.</summary>
    public MonitorSize Size { get; }

    /// <summary>The run's seed: what the objective draws for these images is keyed by it, and the same every time.</summary>
    public ulong Seed { get; }

    /// <summary>n, images.</summary>
    public int Count => Batches.Sum(batch => batch.Count);

    /// <summary>The images that were drawn and could not be read; null where all could.</summary>
    public LeftOutImages? LeftOut { get; private init; }

    /// <summary>The first batches, those that are looked at closely.</summary>
    public IEnumerable<ImageBatch> Close
    {
        get
        {
            var seen = 0;
            foreach (var batch in Batches)
            {
                if (seen >= Size.MaskedImages) yield break;
                seen += batch.Count;
                yield return batch;
            }
        }
    }

    /// <summary>Reads images of a source. Uses no random number that training uses.</summary>
    /// <param name="source">The training images.</param>
    /// <param name="transform">How an image is brought to size; nothing random.</param>
    /// <param name="size">How many.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="workOfAnImage">Multiplications that an image takes; batches of large networks are small.</param>
    /// <exception cref="JepaException">Fewer than two images can be read.</exception>
    public static MonitorSample Draw(ImageSource source, EvaluationTransform transform, MonitorSize size, ulong seed, double workOfAnImage = 0)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(size);
        var order = Enumerable.Range(0, source.Count).ToArray();
        new RandomStream(seed, RandomPurpose.Evaluation, epoch: 1).Shuffle(order.AsSpan());
        var chosen = order[..Math.Min(size.Images, order.Length)];
        Array.Sort(chosen);
        var reader = new ImageReader(source, transform, BatchOf(chosen.Length, workOfAnImage));
        // The reader uses its memory again: each batch is copied.
        List<ImageBatch> batches = [.. reader.Read(chosen).Select(b =>
            b with { Pixels = b.Pixels.AsSpan(0, b.Count * b.Height * b.Width * 3).ToArray(), Indices = [.. b.Indices.Take(b.Count)] })];
        if (batches.Sum(b => b.Count) < 2)
        {
            throw new JepaException(
                $"Found {Quantity.Of(batches.Sum(b => b.Count), "readable image")} in {source.Description}; the monitors compare at least two. Set "
                    + $"logging.monitor_every to 0 to go without them.",
                isUsage: true);
        }

        return new MonitorSample(batches, size, seed)
        {
            LeftOut = LeftOutImages.Of("images looked at", source, batches.SelectMany(b => b.Indices), chosen),
        };
    }

    private static int BatchOf(int images, double work) =>
        Math.Min(images, work <= 0 ? LargestBatch : (int)Math.Clamp(WorkOfABatch / work, 2, LargestBatch));
}

/// <summary>How much the monitors look at.</summary>
/// <param name="Images">n, images whose whole features are compared.</param>
/// <param name="MaskedImages">How many of them, about, are also masked and predicted.</param>
/// <param name="Views">q, draws of masks for each of those.</param>
public sealed record MonitorSize(int Images, int MaskedImages, int Views)
{
    private const int FewestImages = 128, MostImages = 512;

    /// <summary>As many images as features, within reason: a rank is bounded by both.</summary>
    public static MonitorSize For(VisionTransformerShape encoder) => new(Math.Clamp(encoder.Width, FewestImages, MostImages), 64, 4);
}

/// <summary>How often the monitors may look, so that they take a small, known share of the arithmetic of a run.</summary>
/// <remarks>
/// Counted, not timed, so that the same configuration is monitored at the same steps on every machine: see <see cref="ObjectiveCost"/>.
/// </remarks>
public static class MonitorInterval
{
    /// <summary>The share that <see cref="For"/> aims at.</summary>
    public const double Share = 0.004;

    /// <summary>The share that <see cref="ForGlances"/> aims at.</summary>
    public const double ShareOfGlances = 0.002;

    private const int Shortest = 20;

    /// <summary>Steps between readings.</summary>
    /// <param name="cost">What a step and a look cost, for an image.</param>
    /// <param name="size">What a reading looks at.</param>
    /// <param name="imagesPerStep">B, images in a step.</param>
    public static int For(ObjectiveCost cost, MonitorSize size, int imagesPerStep)
    {
        var reading = (size.Images * cost.Whole) + (size.MaskedImages * ((size.Views * cost.Part) + cost.Measure));
        return Rounded(Math.Max(Shortest, reading / (Share * imagesPerStep * cost.Step)));
    }

    /// <summary>Steps between glances.</summary>
    /// <param name="cost">What a step and a look cost, for an image.</param>
    /// <param name="images">Images that a glance looks at.</param>
    /// <param name="imagesPerStep">B, images in a step.</param>
    public static int ForGlances(ObjectiveCost cost, int images, int imagesPerStep) =>
        Rounded(Math.Max(Shortest, images * cost.Whole / (ShareOfGlances * imagesPerStep * cost.Step)));

    /// <summary>Up to the next 10, or 100 from 1,000 on: a number to remember.</summary>
    private static int Rounded(double steps)
    {
        var unit = steps >= 1000 ? 100 : 10;
        return (int)Math.Ceiling(steps / unit) * unit;
    }
}
