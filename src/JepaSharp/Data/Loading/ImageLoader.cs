using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Loading;

/// <summary>Random crops of a source, shuffled anew each epoch, in batches that are prepared ahead on threads of their own.</summary>
/// <remarks>
/// The order is a function of (seed, epoch) and each crop one of (seed, epoch, index of the image): any number of threads gives the same bytes, and
/// starting at batch k gives the batches that would have come. An image that cannot be read gives its place to the next one in the order that can.
/// </remarks>
public sealed class ImageLoader
{
    private readonly ImageSource _source;
    private readonly ImageLoaderOptions _options;
    private readonly UnreadableImages _unreadable;

    /// <summary>A loader; it does not own the source.</summary>
    /// <exception cref="JepaException">An option is out of range, or the source holds less than one batch.</exception>
    public ImageLoader(ImageSource source, ImageLoaderOptions options)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        (_source, _options) = (source, options);
        _unreadable = new UnreadableImages(source, options.OnUnreadable, options.MaxUnreadableShare);
        Shape.Check();
        if (BatchesPerEpoch == 0)
        {
            var share = options.WorldSize == 1 ? "" : $" for each of {options.WorldSize} processes";
            throw new JepaException(
                $"{source.Description} holds {source.Count:N0} images: fewer than one batch of {options.BatchSize:N0}{share}. Make the batch smaller.", isUsage: true);
        }
    }

    /// <summary>Whole batches in an epoch; what is left over waits for the next epoch's shuffle.</summary>
    public int BatchesPerEpoch => Shape.Batches;

    /// <summary>How long the consumer has waited for batches so far.</summary>
    public TimeSpan Waited { get; private set; }

    /// <summary>The images that could not be read so far, with the reasons.</summary>
    public IReadOnlyList<ImageUnreadableException> Unreadable => _unreadable.Met;

    private BatchShape Shape => new(_source.Count / _options.WorldSize, _options.BatchSize, _options.Transform.CropSize, DropsLast: true);

    /// <summary>The batches of an epoch, in order. A batch is valid until the next one is asked for: its memory is used again.</summary>
    /// <param name="epoch">From 0.</param>
    /// <param name="firstBatch">Batch to begin at.</param>
    /// <param name="cancellation">Ends the enumeration with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="JepaException">Too many images cannot be read (thrown while enumerating).</exception>
    public IEnumerable<ImageBatch> Epoch(int epoch, int firstBatch = 0, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(firstBatch);
        return Batches(epoch, firstBatch, cancellation);
    }

    private IEnumerable<ImageBatch> Batches(int epoch, int firstBatch, CancellationToken cancellation)
    {
        var order = EpochOrder.Of(_source.Count, _options.Seed, epoch, _options.Rank, _options.WorldSize);
        using var pipeline = new BatchPipeline(Shape, firstBatch, _options.Threads, _options.PrefetchBatches, () =>
        {
            var sampler = new CropSampler();
            return (batch, position, pixels) => Fill(order, epoch, (batch * _options.BatchSize) + position, sampler, pixels);
        });
        while (true)
        {
            var batch = pipeline.Next(out var waited, cancellation);
            Waited += waited;
            if (batch is null) yield break;
            yield return batch;
        }
    }

    private int Fill(int[] order, int epoch, int place, CropSampler sampler, Span<byte> pixels)
    {
        for (var tried = 0; tried < order.Length; tried++)
        {
            var index = order[(int)(((long)place + tried) % order.Length)];
            try
            {
                using var image = _source.Open(index);
                var random = new RandomStream(_options.Seed, RandomPurpose.Augmentation, epoch, index);
                _options.Transform.Apply(image, ref random, sampler, pixels);
                return index;
            }
            catch (ImageUnreadableException e)
            {
                _unreadable.Add(index, e);
            }
        }

        throw new JepaException($"None of the {order.Length:N0} images in {_source.Description} can be read.");
    }
}
