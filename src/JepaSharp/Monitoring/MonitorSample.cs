using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Masking;
using JepaSharp.Runtime;

namespace JepaSharp.Monitoring;

/// <summary>The images and masks that monitors look at, the same throughout a run: drawn once, keyed by the run's seed, kept as bytes.</summary>
public sealed class MonitorSample
{
    private const int LargestBatch = 32;

    private MonitorSample(IReadOnlyList<ImageBatch> batches, IReadOnlyList<IReadOnlyList<MaskBatch>> views) => (Batches, Views) = (batches, views);

    /// <summary>All images, in batches of one size but for the last.</summary>
    public IReadOnlyList<ImageBatch> Batches { get; }

    /// <summary>For each of the first batches, q draws of masks: the first is the one that the loss is measured with.</summary>
    public IReadOnlyList<IReadOnlyList<MaskBatch>> Views { get; }

    /// <summary>n, images.</summary>
    public int Count => Batches.Sum(batch => batch.Count);

    /// <summary>Reads images of a source and draws their masks. Uses no random number that training uses.</summary>
    /// <param name="source">The training images.</param>
    /// <param name="transform">How an image is brought to size; nothing random.</param>
    /// <param name="masking">How masks are drawn.</param>
    /// <param name="size">How many of each.</param>
    /// <param name="seed">The run's seed.</param>
    /// <exception cref="JepaException">Fewer than two images can be read.</exception>
    public static MonitorSample Draw(ImageSource source, EvaluationTransform transform, MultiBlockMasking masking, MonitorSize size, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(source);
        var order = Enumerable.Range(0, source.Count).ToArray();
        new RandomStream(seed, RandomPurpose.Evaluation, epoch: 1).Shuffle(order.AsSpan());
        var chosen = order[..Math.Min(size.Images, order.Length)];
        Array.Sort(chosen);
        var reader = new ImageReader(source, transform, Math.Min(LargestBatch, chosen.Length));
        // The reader uses its memory again: each batch is copied.
        List<ImageBatch> batches = [.. reader.Read(chosen).Select(b =>
            b with { Pixels = b.Pixels.AsSpan(0, b.Count * b.Height * b.Width * 3).ToArray(), Indices = [.. b.Indices.Take(b.Count)] })];
        if (batches.Sum(b => b.Count) < 2)
            throw new JepaException($"Found {batches.Sum(b => b.Count)} readable image in {source.Description}; the monitors compare at least two. Set logging.monitor_every to 0 to go without them.", isUsage: true);

        var views = new List<IReadOnlyList<MaskBatch>>();
        for (var seen = 0; views.Count < batches.Count && seen < size.MaskedImages; seen += batches[views.Count - 1].Count)
        {
            long[] images = [.. batches[views.Count].Indices.Select(i => (long)i)];
            // Steps of training are 0 and up: those below are nobody's.
            views.Add([.. Enumerable.Range(1, size.Views).Select(view => masking.Sample(seed, -view, images))]);
        }

        return new MonitorSample(batches, views);
    }
}
