using JepaSharp.Data.Decoding;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Loading;

/// <summary>What decoding may hold at a time in this process, where a loader or reader is not given a bound of its own: <c>data.memory_mb</c>, or <c>--memory-mb</c>.</summary>
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
