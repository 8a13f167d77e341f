using System.Collections.Concurrent;
using JepaSharp.Data.Loading;

namespace JepaSharp.Data.Sources.Packing;

/// <summary>Prepares a source's images in order, several at a time, as far as what is prepared and not yet taken fits into memory.</summary>
internal sealed class PreparationWindow
{
    private const int ImagesPerThread = 8;

    private readonly ImageSource _source;
    private readonly PackOptions _options;
    private readonly UnreadableImages _unreadable;
    private readonly LoaderMemory _memory;
    private readonly ConcurrentDictionary<int, PreparedImage?> _prepared = new();
    private readonly ConcurrentBag<ImagePreparer> _preparers = [];
    private readonly long _room;
    private long _held;

    /// <param name="source">The images.</param>
    /// <param name="options">How they are prepared.</param>
    /// <param name="unreadable">Is told of those that cannot be read.</param>
    public PreparationWindow(ImageSource source, PackOptions options, UnreadableImages unreadable)
    {
        (_source, _options, _unreadable) = (source, options, unreadable);
        _memory = new LoaderMemory(options.MemoryMegabytes, options.Threads);
        _room = _memory.BatchBytes;
    }

    /// <summary>Prepares at least one image from <paramref name="first"/> on.</summary>
    /// <returns>The image before which all are prepared, or known to be unreadable.</returns>
    public int Prepare(int first, CancellationToken cancellation)
    {
        var last = (int)Math.Min(_source.Count, (long)first + (ImagesPerThread * _options.Threads));
        // In order, so that what finds no room is what is needed last.
        var inOrder =
            Partitioner.Create(Enumerable.Range(first, last - first).Where(i => !_prepared.ContainsKey(i)), EnumerablePartitionerOptions.NoBuffering);
        try
        {
            Parallel.ForEach(inOrder, new() { MaxDegreeOfParallelism = _options.Threads, CancellationToken = cancellation }, index => Prepare(
                index, isAlone: false));
        }
        catch (AggregateException several)
        {
            // One cause is enough for a message.
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(several.InnerExceptions[0]);
        }

        if (!_prepared.ContainsKey(first)) Prepare(first, isAlone: true);
        var end = first;
        while (_prepared.ContainsKey(end)) end++;
        return end;
    }

    /// <summary>Hands out a prepared image and forgets it; null where it is unreadable.</summary>
    public PreparedImage? Take(int index)
    {
        if (!_prepared.TryRemove(index, out var image) || image is null) return null;
        Interlocked.Add(ref _held, -image.Bytes.Length);
        return image;
    }

    private void Prepare(int index, bool isAlone)
    {
        if (!isAlone && Interlocked.Read(ref _held) >= _room) return;
        var preparer = _preparers.TryTake(out var kept) ? kept : new ImagePreparer(_options, _memory.KeptBytes);
        try
        {
            using var image = _memory.Decoding.Open(_source, index);
            var expected = preparer.BytesOf(image);
            if (Interlocked.Add(ref _held, expected) > _room && !isAlone)
            {
                Interlocked.Add(ref _held, -expected);
                return;
            }

            var held = 0L;
            try
            {
                var prepared = preparer.Prepare(image);
                held = prepared.Bytes.Length;
                _prepared[index] = prepared;
            }
            finally
            {
                Interlocked.Add(ref _held, held - expected);
            }
        }
        catch (ImageUnreadableException e)
        {
            _unreadable.Add(index, e);
            _prepared[index] = null;
        }
        finally
        {
            _preparers.Add(preparer);
        }
    }
}
