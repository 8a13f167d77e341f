using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;

namespace JepaSharp.Data.Loading;

/// <summary>Images of a source once, in order, with nothing random: for features, probes and embeddings. Prepared ahead on threads of their
/// own.</summary>
/// <remarks>An image that cannot be read is left out of its batch; <see cref="ImageBatch.Indices"/> says which images a batch holds.</remarks>
public sealed class ImageReader
{
    private readonly ImageSource _source;
    private readonly EvaluationTransform _transform;
    private readonly UnreadableImages _unreadable;
    private readonly int _batchSize, _threads, _prefetch;
    private readonly LoaderMemory _memory;

    /// <summary>A reader; it does not own the source.</summary>
    /// <param name="source">Where the images come from.</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <param name="batchSize">B; the last batch may hold fewer.</param>
    /// <param name="threads">Threads that decode; 0 for one for each core.</param>
    /// <param name="prefetchBatches">Batches that are prepared ahead, at most.</param>
    /// <param name="onUnreadable">What to do about an image that cannot be read.</param>
    /// <param name="maxUnreadableShare">The share of unreadable images above which reading stops; four are always tolerated.</param>
    /// <param name="memoryMegabytes">Bound on what is held at a time, in MB: batches ahead and images being decoded; null for the process's,
    /// <see cref="DecodingBound"/>.</param>
    /// <exception cref="JepaException">A size is out of range.</exception>
    public ImageReader(
        ImageSource source,
        EvaluationTransform transform,
        int batchSize = 128,
        int threads = 0,
        int prefetchBatches = 2,
        UnreadablePolicy onUnreadable = UnreadablePolicy.Skip,
        double maxUnreadableShare = 0.01,
        int? memoryMegabytes = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(transform);
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(prefetchBatches);
        var shape = new BatchShape(source.Count, batchSize, transform.Size, DropsLast: false);
        shape.Check();
        (_source, _transform, _batchSize) = (source, transform, batchSize);
        _threads = threads == 0 ? RankCores.Count : threads;
        _memory = new LoaderMemory(memoryMegabytes, _threads);
        _prefetch = _memory.DepthFor(shape, prefetchBatches);
        _unreadable = new UnreadableImages(source, onUnreadable, maxUnreadableShare);
    }

    /// <summary>How long the consumer has waited for batches so far.</summary>
    public TimeSpan Waited { get; private set; }

    /// <summary>The images that could not be read so far, with the reasons.</summary>
    public IReadOnlyList<ImageUnreadableException> Unreadable => _unreadable.Met;

    /// <summary>All images in order. A batch is valid until the next one is asked for: its memory is used again.</summary>
    /// <param name="cancellation">Ends the enumeration with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="JepaException">Too many images cannot be read (thrown while enumerating).</exception>
    public IEnumerable<ImageBatch> Read(CancellationToken cancellation = default) => Read(null, cancellation);

    /// <summary>Chosen images in the order given. A batch is valid until the next one is asked for: its memory is used again.</summary>
    /// <param name="indices">[n] indices into the source; null for all.</param>
    /// <param name="cancellation">Ends the enumeration with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="JepaException">Too many images cannot be read (thrown while enumerating).</exception>
    public IEnumerable<ImageBatch> Read(IReadOnlyList<int>? indices, CancellationToken cancellation = default) =>
        Batches(indices, cancellation).Where(batch => batch.Count > 0);

    /// <summary>The same with batches of which no image could be read, so that the n-th is the n-th.</summary>
    internal IEnumerable<ImageBatch> ReadAll(IReadOnlyList<int> indices) => Batches(indices, CancellationToken.None);

    private IEnumerable<ImageBatch> Batches(IReadOnlyList<int>? indices, CancellationToken cancellation)
    {
        var shape = new BatchShape(indices?.Count ?? _source.Count, _batchSize, _transform.Size, DropsLast: false);
        using var pipeline = new BatchPipeline(shape, 0, shape.Batches, _threads, _prefetch, () =>
        {
            var sampler = new CropSampler(_memory.KeptBytes);
            return (batch, position, pixels) =>
            {
                var place = (int)(batch * _batchSize) + position;
                return Fill(indices is null ? place : indices[place], sampler, pixels);
            };
        });
        while (true)
        {
            var batch = pipeline.Next(out var waited, cancellation);
            Waited += waited;
            if (batch is null) yield break;
            yield return batch;
        }
    }

    private int Fill(int index, CropSampler sampler, Span<byte> pixels)
    {
        try
        {
            using var image = _memory.Decoding.Open(_source, index);
            sampler.Sample(image, _transform.GeometryOf(image.Width, image.Height), allowScaling: false, pixels);
            return index;
        }
        catch (ImageUnreadableException e)
        {
            _unreadable.Add(index, e);
            return -1;
        }
    }
}

/// <summary>What to do about an image that cannot be read.</summary>
public enum UnreadablePolicy
{
    /// <summary>Note it and go on with the next, until too many have failed.</summary>
    Skip,

    /// <summary>Stop.</summary>
    Fail,
}

/// <summary>The images of a source that could not be read, and the point at which there are too many. Safe to use from several threads.</summary>
/// <param name="source">The images.</param>
/// <param name="policy">What to do about one that cannot be read.</param>
/// <param name="maxShare">The share of them above which it is too many.</param>
/// <param name="setting">The setting that the share comes from; null where it is not the user's.</param>
internal sealed class UnreadableImages(ImageSource source, UnreadablePolicy policy, double maxShare, string? setting = null)
{
    // Of a small collection a few bad files are more than any share of it.
    private const int AlwaysTolerated = 4;
    private const int ShownInMessage = 5;

    private readonly Lock _gate = new();
    private readonly SortedDictionary<int, ImageUnreadableException> _failures = [];

    /// <summary>Those met so far, by index in the source.</summary>
    public IReadOnlyList<ImageUnreadableException> Met
    {
        get
        {
            lock (_gate) return [.. _failures.Values];
        }
    }

    /// <summary>How many they are.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _failures.Count;
        }
    }

    /// <summary>How many of so many images may be unreadable.</summary>
    public static double Most(double maxShare, int images) => Math.Max(AlwaysTolerated, maxShare * images);

    private string TooMany =>
        $"{_failures.Count:N0} of the {source.Count:N0} images in {source.Description} cannot be read; {Text(maxShare)} {Tolerated}. Among them";

    // The first few are tolerated of any set: of a small one, all may be fewer.
    private string Tolerated => $"are tolerated ({AlwaysTolerated} of a small set){(setting is null ? "" : $", which {setting} sets")}";

    private string None => source.Count == 1
        ? $"The only image in {source.Description} cannot be read"
        : $"None of the {source.Count:N0} images in {source.Description} can be read. Among them";

    private static string Text(double share) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{100 * share:0.###} %");

    /// <summary>Notes a failure.</summary>
    /// <exception cref="JepaException">No failure is tolerated, or this is one too many.</exception>
    public void Add(int index, ImageUnreadableException failure)
    {
        if (policy == UnreadablePolicy.Fail)
            throw new JepaException(
                $"An image cannot be read: {failure.Message} Mend or remove it, or let unreadable images be skipped.", inner: failure);
        lock (_gate)
        {
            _failures[index] = failure;
            if (_failures.Count <= Most(maxShare, source.Count) && _failures.Count < source.Count) return;
            var some = string.Join('\n', _failures.Values.Take(ShownInMessage).Select(f => "  " + f.Message));
            throw new JepaException($"{(_failures.Count < source.Count ? TooMany : None)}:\n{some}", inner: failure);
        }
    }
}
