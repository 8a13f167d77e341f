using JepaSharp.Data.Sources;

namespace JepaSharp.Data.Decoding;

/// <summary>What several threads that decode may use together. Small images are decoded freely, each thread within its own share; for one that needs more there is one place.</summary>
/// <remarks>
/// Whether an image is decoded, at what scale, or refused, depends on <see cref="ImageBytes"/> alone, and so never on how many threads there are or what they
/// are at. A thread waits for the place holding nothing but its own share, and whoever has the place waits for nobody: there is no deadlock.
/// </remarks>
internal sealed class DecodingMemory
{
    private readonly Lock _place = new();

    /// <param name="threads">Threads that decode.</param>
    /// <param name="shares">Bytes that the threads' shares are together.</param>
    /// <param name="image">Bytes that one image may need at most.</param>
    public DecodingMemory(int threads, long shares, long image) => (ShareBytes, ImageBytes) = (Math.Min(shares / threads, image), image);

    private DecodingMemory() => (ShareBytes, ImageBytes) = (long.MaxValue, long.MaxValue);

    /// <summary>No bound.</summary>
    public static DecodingMemory Unbounded { get; } = new();

    /// <summary>Bytes of one thread: half for what it keeps from image to image, half for the image that it is at.</summary>
    public long ShareBytes { get; }

    /// <summary>Bytes that one image may need.</summary>
    public long ImageBytes { get; }

    /// <summary>Waits for the one place if so many bytes are more than a thread may use freely; disposing what comes back leaves it again.</summary>
    public Lock.Scope Room(long bytes) => bytes <= ShareBytes / 2 ? default : _place.EnterScope();

    /// <summary>Waits as <see cref="Room"/> does before an image of a source is opened, if its encoded bytes alone are more than a thread may use freely.</summary>
    /// <exception cref="ImageUnreadableException">They are more than one image may need.</exception>
    public Lock.Scope RoomToOpen(ImageSource source, int index)
    {
        if (ImageBytes == long.MaxValue) return default;
        var bytes = source.StoredBytes(index);
        if (bytes <= ImageBytes) return Room(bytes);
        throw new ImageUnreadableException(
            source.NameOf(index), $"the file has {Megabytes(bytes):N0} MB; one image may take {Megabytes(ImageBytes):N0}. Raise data.memory_mb, or make the image smaller.");
    }

    /// <summary>The request itself, or one at a reduced scale where only that fits.</summary>
    /// <param name="image">The image.</param>
    /// <param name="request">What is needed of it.</param>
    /// <param name="bytes">What decoding takes.</param>
    /// <exception cref="ImageUnreadableException">It needs too much at any scale.</exception>
    public DecodeRequest Fit(OpenedImage image, in DecodeRequest request, out long bytes)
    {
        bytes = image.MemoryToDecode(request);
        if (bytes <= ImageBytes) return request;
        var needed = bytes;
        for (var reduction = 2; reduction <= DecodeRequest.MostReduction; reduction *= 2)
        {
            var reduced = request with { LeastReduction = reduction };
            bytes = image.MemoryToDecode(reduced);
            if (bytes <= ImageBytes) return reduced;
        }

        throw new ImageUnreadableException(
            image.Name,
            $"decoding {image.Width}x{image.Height} pixels of {image.Format} takes {Megabytes(needed):N0} MB; one image may take {Megabytes(ImageBytes):N0}. Raise data.memory_mb, or make the image smaller.");
    }

    private static double Megabytes(long bytes) => Math.Ceiling(bytes / 1048576.0);
}
