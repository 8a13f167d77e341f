using JepaSharp.Data.Decoding;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Loading;

/// <summary>The bound on what a loader holds: a quarter of it for batches, a quarter for what its threads use freely, half for one image that needs more.</summary>
internal sealed class LoaderMemory
{
    /// <summary>Enough for every image up to the largest that is decoded at all (<see cref="DecodingLimits"/>).</summary>
    public const int DefaultMegabytes = 2048;

    /// <summary>Below this, ordinary photographs no longer fit.</summary>
    public const int LeastMegabytes = 64;

    private const long Megabyte = 1 << 20;

    private readonly int _megabytes;

    /// <param name="megabytes">The bound, in units of 2^20 bytes.</param>
    /// <param name="threads">Threads that decode.</param>
    /// <exception cref="JepaException">The bound is too low.</exception>
    public LoaderMemory(int megabytes, int threads)
    {
        if (megabytes < LeastMegabytes) throw new JepaException($"The loader may use {megabytes} MB. Expected at least {LeastMegabytes}.", isUsage: true);
        _megabytes = megabytes;
        Decoding = new DecodingMemory(threads, megabytes * Megabyte / 4, megabytes * Megabyte / 2);
    }

    /// <summary>The threads' part.</summary>
    public DecodingMemory Decoding { get; }

    /// <summary>Batches to prepare ahead: as many as asked for, or as many as fit beside the one that is handed out.</summary>
    /// <exception cref="JepaException">Not even one fits.</exception>
    public int DepthFor(BatchShape shape, int asked)
    {
        var room = _megabytes * Megabyte / 4;
        var fit = (int)Math.Min(int.MaxValue, room / shape.FullBatchBytes) - 1;
        if (fit >= 1) return Math.Min(asked, fit);
        var needed = 4 * 2L * shape.FullBatchBytes / Megabyte;
        throw new JepaException(
            $"Two batches of {shape.BatchSize} images of {shape.Side}x{shape.Side} pixels do not fit into a quarter of the loader's {_megabytes:N0} MB. Make the batch smaller, or data.memory_mb at least {needed + 1:N0}.",
            isUsage: true);
    }
}
