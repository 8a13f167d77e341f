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
    private readonly LoaderMemory _memory;
    private readonly int _depth;

    /// <summary>A loader; it does not own the source.</summary>
    /// <exception cref="JepaException">An option is out of range, or the source holds less than one batch.</exception>
    public ImageLoader(ImageSource source, ImageLoaderOptions options)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        (_source, _options) = (source, options);
        _unreadable = new UnreadableImages(source, options.OnUnreadable, options.MaxUnreadableShare, "data.max_unreadable");
        Shape.Check();
        _memory = new LoaderMemory(options.MemoryMegabytes, options.Threads);
        _depth = _memory.DepthFor(Shape, options.PrefetchBatches);
        if (BatchesPerEpoch == 0)
        {
            throw new JepaException(
                $"{source.Description} holds {Quantity.Of(source.Count, "image")}: fewer than one batch of {options.BatchSize:N0}. Make "
                    + $"the batch smaller.", isUsage: true);
        }
    }

    /// <summary>Whole batches in an epoch, those of all processes; what is left over waits for the next epoch's shuffle.</summary>
    public int BatchesPerEpoch => Shape.Batches;

    /// <summary>How long the consumer has waited for batches so far.</summary>
    public TimeSpan Waited { get; private set; }

    /// <summary>The images that could not be read so far, with the reasons.</summary>
    public IReadOnlyList<ImageUnreadableException> Unreadable => _unreadable.Met;

    /// <summary>How many they are.</summary>
    internal int UnreadableCount => _unreadable.Count;

    private BatchShape Shape =>
        new(_source.Count, _options.BatchSize, _options.Views.Max(v => v.Transform.CropSize), DropsLast: true)
        {
            BytesOfViews = checked(_options.Views.Sum(v => v.Bytes)),
        };

    /// <summary>Batches that all processes load in one turn: each its own of them.</summary>
    private int Turn => _options.WorldSize == 1 ? 1 : _options.WorldSize * _options.BatchesInTurn;

    /// <summary>The batches of an epoch, in order. A batch is valid until the next one is asked for: its memory is used again.</summary>
    /// <param name="epoch">From 0.</param>
    /// <param name="firstBatch">Batch to begin at.</param>
    /// <param name="cancellation">Ends the enumeration with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="JepaException">Too many images cannot be read (thrown while enumerating).</exception>
    public IEnumerable<ViewBytes> Epoch(int epoch, int firstBatch = 0, CancellationToken cancellation = default)
    {
        var used = BatchesPerEpoch / Turn * Turn;
        return Epochs(epoch, firstBatch, used, Math.Max(0, used - firstBatch), cancellation);
    }

    /// <summary>
    /// The batches of an epoch and of those that follow, in order: the first of an epoch are prepared while the last of the one before are used, so
    /// that nothing waits between them.
    /// A batch is valid until the next one is asked for: its memory is used again.
    /// </summary>
    /// <param name="epoch">Epoch to begin in, from 0.</param>
    /// <param name="firstBatch">Batch of that epoch to begin at.</param>
    /// <param name="usedPerEpoch">Batches of an epoch that are used, from its first; at most <see cref="BatchesPerEpoch"/>.</param>
    /// <param name="count">How many batches in all, those of other processes included: of every turn, only the process's own are loaded.</param>
    /// <param name="cancellation">Ends the enumeration with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="JepaException">Too many images cannot be read (thrown while enumerating).</exception>
    public IEnumerable<ViewBytes> Epochs(int epoch, int firstBatch, int usedPerEpoch, long count, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(firstBatch);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(usedPerEpoch);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(usedPerEpoch, BatchesPerEpoch);
        var first = ((long)epoch * usedPerEpoch) + firstBatch;
        if (first % Turn != 0 || usedPerEpoch % Turn != 0 || count % Turn != 0)
            throw new ArgumentException($"Batches {first} to {first + count}, {usedPerEpoch} an epoch, are not whole turns of {Turn}.");
        return Batches(first, count, usedPerEpoch, cancellation);
    }

    /// <summary>Batches numbered through all epochs, <paramref name="perEpoch"/> in each: of every turn, the process's own.</summary>
    private IEnumerable<ViewBytes> Batches(long first, long count, int perEpoch, CancellationToken cancellation)
    {
        var orders = new EpochOrders(epoch => EpochOrder.Of(_source.Count, _options.Seed, epoch));
        var own = _options.WorldSize == 1 ? 1 : _options.BatchesInTurn;
        long Numbered(long mine) => (mine / own * Turn) + (_options.Rank * own) + (mine % own);
        int EpochOf(long batch) => (int)(batch / perEpoch);
        using var pipeline = new BatchPipeline(Shape, first / Turn * own, (first + count) / Turn * own, _options.Threads, _depth, () =>
        {
            var sampler = new CropSampler(_memory.KeptBytes);
            var (current, order) = (-1, Array.Empty<int>());
            return (mine, position, pixels) =>
            {
                var batch = Numbered(mine);
                var epoch = EpochOf(batch);
                if (epoch != current) (current, order) = (epoch, orders.Of(epoch, EpochOf(Numbered(Math.Max(0, mine - _depth)))));
                return Fill(order, epoch, ((int)(batch % perEpoch) * _options.BatchSize) + position, sampler, pixels);
            };
        });
        while (true)
        {
            var batch = pipeline.Next(out var waited, cancellation);
            Waited += waited;
            if (batch is null) yield break;
            yield return new ViewBytes(_options.Views, batch.Pixels, batch.Indices);
        }
    }

    private int Fill(int[] order, int epoch, int place, CropSampler sampler, Span<byte> pixels)
    {
        for (var tried = 0; tried < order.Length; tried++)
        {
            var index = order[(int)(((long)place + tried) % order.Length)];
            try
            {
                using var image = _memory.Decoding.Open(_source, index);
                ViewMaker.Make(image, _options.Views, (_options.Seed, epoch, index), sampler, pixels);
                return index;
            }
            catch (ImageUnreadableException e)
            {
                _unreadable.Add(index, e);
            }
        }

        throw new JepaException($"None of the {Quantity.Of(order.Length, "image")} in {_source.Description} can be read.");
    }
}

/// <summary>The order of the images in an epoch: one shuffle of all, the same in every process.</summary>
internal static class EpochOrder
{
    /// <summary>[count] indices.</summary>
    public static int[] Of(int count, ulong seed, int epoch)
    {
        var all = new int[count];
        for (var i = 0; i < count; i++) all[i] = i;
        var random = new RandomStream(seed, RandomPurpose.Order, epoch);
        random.Shuffle<int>(all);
        return all;
    }
}

/// <summary>The orders of the epochs that batches in flight belong to: made once each, by whichever thread first needs it, and let go when no batch
/// can need it again.</summary>
/// <param name="make">The order of an epoch.</param>
internal sealed class EpochOrders(Func<int, int[]> make)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, int[]> _kept = [];

    /// <summary>The order of an epoch.</summary>
    /// <param name="epoch">From 0.</param>
    /// <param name="oldest">The oldest epoch that any batch in flight may belong to.</param>
    public int[] Of(int epoch, int oldest)
    {
        lock (_gate)
        {
            if (_kept.TryGetValue(epoch, out var order)) return order;
            foreach (var past in _kept.Keys.Where(e => e < oldest).ToList()) _kept.Remove(past);
            return _kept[epoch] = make(epoch);
        }
    }
}
