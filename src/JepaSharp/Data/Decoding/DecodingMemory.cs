using System.Collections.Concurrent;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;

namespace JepaSharp.Data.Decoding;

/// <summary>What all threads that decode may use together: a pool for small images, several at a time, and one place for an image that needs
/// more.</summary>
/// <remarks>
/// Whether an image is decoded, at what scale, or refused, depends on <see cref="ImageBytes"/> alone, and so never on how many threads there are or
/// what they are at. Whoever has the place waits for nobody, and everyone else waits for it or for the pool: there is no deadlock.
/// </remarks>
internal sealed class DecodingMemory
{
    private const long Megabyte = 1 << 20;

    // So much garbage is not left to the collector's own time: the next image of that size would come on top of it.
    private const long CollectedFrom = 128 * Megabyte;

    private static readonly ConcurrentDictionary<int, DecodingMemory> Gates = new();

    private readonly object _gate = new();
    private long _pooled, _alone;
    private bool _isTaken;

    /// <param name="pool">Bytes that images decoded side by side may need together.</param>
    /// <param name="image">Bytes that one image may need at most.</param>
    public DecodingMemory(long pool, long image) => (PoolBytes, ImageBytes) = (Math.Min(pool, image), image);

    /// <summary>The gate of the whole process, <see cref="DecodingBound"/>.</summary>
    public static DecodingMemory OfProcess => Of(DecodingBound.Megabytes);

    /// <summary>Bytes of images that are decoded side by side.</summary>
    public long PoolBytes { get; }

    /// <summary>Bytes that one image may need.</summary>
    public long ImageBytes { get; }

    /// <summary>The most that was in use at a time so far, in bytes.</summary>
    public long MostUsed { get; private set; }

    /// <summary>The gate for a bound: an eighth of it for the pool, half for one image. All that name the same bound share one gate.</summary>
    public static DecodingMemory Of(int megabytes) => Gates.GetOrAdd(megabytes, static m => new DecodingMemory(m * Megabyte / 8, m * Megabyte / 2));

    /// <summary>Opens an image of a source when there is room for its encoded bytes; the room grows with what is done to the image, and ends with
    /// it.</summary>
    /// <exception cref="ImageUnreadableException">The image cannot be opened, or needs more than one image may.</exception>
    public OpenedImage Open(ImageSource source, int index)
    {
        var stored = source.StoredBytes(index);
        if (stored > ImageBytes)
            throw new ImageUnreadableException(
                source.NameOf(index),
                $"the file has {Megabytes(stored):N0} MB; one image may take {Megabytes(ImageBytes):N0}. Raise {DecodingBound.Name}, or make the "
                    + $"image smaller.");
        var room = new DecodingRoom(this);
        try
        {
            room.Grow(stored);
            var image = source.Open(index);
            image.Room = room;
            return image;
        }
        catch
        {
            room.Dispose();
            throw;
        }
    }

    /// <summary>The request itself, or one at a reduced scale where only that fits.</summary>
    /// <param name="image">The image.</param>
    /// <param name="request">What is needed of it.</param>
    /// <param name="extra">Bytes needed beside the decoder's.</param>
    /// <param name="bytes">What decoding takes, in all.</param>
    /// <exception cref="ImageUnreadableException">It needs too much at any scale.</exception>
    public DecodeRequest Fit(OpenedImage image, in DecodeRequest request, long extra, out long bytes)
    {
        bytes = image.MemoryToDecode(request) + extra;
        if (bytes <= ImageBytes) return request;
        var needed = bytes;
        for (var reduction = 2; reduction <= DecodeRequest.MostReduction; reduction *= 2)
        {
            var reduced = request with { LeastReduction = reduction };
            bytes = image.MemoryToDecode(reduced) + extra;
            if (bytes <= ImageBytes) return reduced;
        }

        throw TooLarge(image, needed);
    }

    /// <summary>Refuses an image that needs more than one may.</summary>
    /// <exception cref="ImageUnreadableException">It does.</exception>
    public void Require(OpenedImage image, long bytes)
    {
        if (bytes > ImageBytes) throw TooLarge(image, bytes);
    }

    /// <summary>Gives a room so many bytes: of the pool, or, where that has not enough left, of the one place as soon as it is free.</summary>
    internal void Change(DecodingRoom room, long bytes)
    {
        if (TakePlaceFor(room, bytes) && bytes >= CollectedFrom) Collect();
    }

    /// <summary>Leaves what a room has to the others.</summary>
    internal void Leave(DecodingRoom room)
    {
        if (room.IsAlone && room.Bytes >= CollectedFrom) Collect();
        lock (_gate)
        {
            if (room.IsAlone) (_isTaken, _alone) = (false, 0);
            else _pooled -= room.Bytes;
            Monitor.PulseAll(_gate);
        }
    }

    /// <returns>Whether the bytes are those of the one place.</returns>
    private bool TakePlaceFor(DecodingRoom room, long bytes)
    {
        lock (_gate)
        {
            while (!room.IsAlone)
            {
                var pooled = _pooled - room.Bytes + bytes;
                if (pooled <= PoolBytes)
                {
                    _pooled = pooled;
                    Note();
                    return false;
                }

                if (!_isTaken)
                {
                    (_isTaken, room.IsAlone) = (true, true);
                    _pooled -= room.Bytes;
                    Monitor.PulseAll(_gate);
                    break;
                }

                Monitor.Wait(_gate);
            }

            _alone = bytes;
            Note();
            return true;
        }
    }

    // Aggressive: what is freed goes back to the system at once.
    private static void Collect() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    private static double Megabytes(long bytes) => Math.Ceiling(bytes / (double)Megabyte);

    private ImageUnreadableException TooLarge(OpenedImage image, long bytes) => new(
        image.Name,
        $"decoding {image.Width}x{image.Height} pixels of {image.Format} takes {Megabytes(bytes):N0} MB; one image may take "
            + $"{Megabytes(ImageBytes):N0}. Raise {DecodingBound.Name}, or make the image smaller.");

    private void Note() => MostUsed = Math.Max(MostUsed, _pooled + _alone);
}

/// <summary>What one opened image has of a <see cref="DecodingMemory"/>. For one thread.</summary>
internal sealed class DecodingRoom(DecodingMemory memory) : IDisposable
{
    /// <summary>Where the bytes are from.</summary>
    public DecodingMemory Memory => memory;

    /// <summary>Bytes that are held.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether they are those of the one place.</summary>
    public bool IsAlone { get; set; }

    /// <summary>Waits until so many bytes in all may be used; never gives any back.</summary>
    public void Grow(long bytes)
    {
        if (bytes <= Bytes) return;
        memory.Change(this, bytes);
        Bytes = bytes;
    }

    public void Dispose()
    {
        memory.Leave(this);
        (Bytes, IsAlone) = (0, false);
    }
}
