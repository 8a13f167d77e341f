using JepaSharp.Data.Decoding;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Loading;

/// <summary>The bound on what a loader holds: a quarter of it for batches, a sixteenth for what its threads keep from image to image, the rest for images being decoded.</summary>
internal sealed class LoaderMemory
{
    /// <summary>Enough for every image up to the largest that is decoded at all (<see cref="DecodingLimits"/>), in almost every format.</summary>
    public const int DefaultMegabytes = 2048;

    /// <summary>Below this, ordinary photographs no longer fit.</summary>
    public const int LeastMegabytes = 64;

    private const long Megabyte = 1 << 20;

    private readonly int _megabytes;

    /// <param name="megabytes">The bound, in units of 2^20 bytes; null for the process's.</param>
    /// <param name="threads">Threads that decode.</param>
    /// <exception cref="JepaException">The bound is too low.</exception>
    public LoaderMemory(int? megabytes, int threads)
    {
        _megabytes = megabytes ?? DecodingBound.Megabytes;
        Check(_megabytes);
        Decoding = DecodingMemory.Of(_megabytes);
        KeptBytes = _megabytes * Megabyte / 16 / threads;
    }

    /// <summary>The part for images, shared with all in this process that have the same bound.</summary>
    public DecodingMemory Decoding { get; }

    /// <summary>Bytes that one thread keeps from image to image.</summary>
    public long KeptBytes { get; }

    /// <summary>Bytes of what is made ahead and not yet taken.</summary>
    public long BatchBytes => _megabytes * Megabyte / 4;

    /// <summary>Refuses a bound that is too low.</summary>
    public static void Check(int megabytes)
    {
        if (megabytes < LeastMegabytes) throw new JepaException($"The loader may use {megabytes} MB. Expected at least {LeastMegabytes}.", isUsage: true);
    }

    /// <summary>Batches to prepare ahead: as many as asked for, or as many as fit beside the one that is handed out.</summary>
    /// <exception cref="JepaException">Not even one fits.</exception>
    public int DepthFor(BatchShape shape, int asked)
    {
        var fit = (int)Math.Min(int.MaxValue, BatchBytes / shape.FullBatchBytes) - 1;
        if (fit >= 1) return Math.Min(asked, fit);
        var needed = 4 * 2L * shape.FullBatchBytes / Megabyte;
        throw new JepaException(
            $"Two batches of {shape.BatchSize} images of {shape.Side}x{shape.Side} pixels do not fit into a quarter of the loader's {_megabytes:N0} MB. Make the batch smaller, or data.memory_mb at least {needed + 1:N0}.",
            isUsage: true);
    }
}
