using JepaSharp.Data.Decoding;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Loading;

/// <summary>The bound on what a loader holds: a quarter of it for batches, a sixteenth for what its threads keep from image to image, the rest for
/// images being decoded.</summary>
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
        if (megabytes < LeastMegabytes)
            throw new JepaException($"The loader may use {megabytes} MB. Expected at least {LeastMegabytes}.", isUsage: true);
    }

    /// <summary>Batches to prepare ahead: as many as asked for, or as many as fit beside the one that is handed out.</summary>
    /// <exception cref="JepaException">Not even one fits.</exception>
    public int DepthFor(BatchShape shape, int asked)
    {
        var fit = (int)Math.Min(int.MaxValue, BatchBytes / shape.FullBatchBytes) - 1;
        if (fit >= 1) return Math.Min(asked, fit);
        var needed = 4 * 2L * shape.FullBatchBytes / Megabyte;
        throw new JepaException(
            $"Two batches of {shape.BatchSize} images of {shape.Side}x{shape.Side} pixels do not fit into a quarter of the loader's {_megabytes:N0} "
                + $"MB. Make the batch smaller, or data.memory_mb at least {needed + 1:N0}.",
            isUsage: true);
    }
}

/// <summary>What decoding may hold at a time in this process, where a loader or reader is not given a bound of its own: <c>data.memory_mb</c>, or
/// <c>--memory-mb</c>.</summary>
public static class DecodingBound
{
    /// <summary>Where the bound is set, for messages.</summary>
    internal const string Name = "data.memory_mb (or --memory-mb)";

    private static int _megabytes = LoaderMemory.DefaultMegabytes;

    /// <summary>The bound where none is given, in units of 2^20 bytes.</summary>
    public static int DefaultMegabytes => LoaderMemory.DefaultMegabytes;

    /// <summary>The least that may be given.</summary>
    public static int LeastMegabytes => LoaderMemory.LeastMegabytes;

    /// <summary>The bound, in units of 2^20 bytes.</summary>
    /// <exception cref="JepaException">It is below the least.</exception>
    public static int Megabytes
    {
        get => Volatile.Read(ref _megabytes);
        set
        {
            LoaderMemory.Check(value);
            Volatile.Write(ref _megabytes, value);
        }
    }

    /// <summary>Memory to decode into for one of several threads, which keeps its share of the bound.</summary>
    /// <param name="threads">Threads that decode.</param>
    public static PixelBuffer NewBuffer(int threads) => new(new LoaderMemory(null, threads).KeptBytes);
}
