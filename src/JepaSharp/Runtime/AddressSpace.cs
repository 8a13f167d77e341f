using System.Globalization;
using System.Runtime.InteropServices;

namespace JepaSharp.Runtime;

/// <summary>The limit on a process's address space (<c>ulimit -v</c>), as login nodes of clusters set it.</summary>
/// <remarks>
/// It counts what is reserved, not what is used: the collector alone reserves half of it and the code heap a fifth, and libtorch's libraries and a stack a thread come on top.
/// Where it runs out in native code, the process ends without a word, so it is asked before the engine is loaded.
/// </remarks>
public static partial class AddressSpace
{
    /// <summary>Less than this, in bytes, does not let the smallest training run through.</summary>
    public const long Least = 4_500_000_000;

    private const int AddressSpaceResource = 9; // RLIMIT_AS on Linux

    /// <summary>The limit in bytes; null where there is none or the system does not say.</summary>
    public static long? Limit
    {
        get
        {
            if (!OperatingSystem.IsLinux()) return null;
            return GetLimit(AddressSpaceResource, out var limit) == 0 && limit.Current < long.MaxValue ? (long)limit.Current : null;
        }
    }

    /// <summary>A sentence about the limit and how to raise it; empty where there is none.</summary>
    public static string Advice => Limit is { } bytes
        ? string.Create(CultureInfo.InvariantCulture, $"Address space is limited to {bytes / 1e9:F1} GB (ulimit -v {bytes / 1024}); at least {Least / 1e9:F1} GB are needed, more for larger models. "
            + $"Raise it with 'ulimit -v unlimited', or ask for more memory where the job is started.")
        : "";

    /// <summary>Checks that the engine has room.</summary>
    /// <exception cref="JepaException">It does not.</exception>
    public static void Require()
    {
        if (Limit < Least) throw new JepaException("Memory is too short for the engine. " + Advice);
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetLimit(int resource, out ResourceLimit limit);

    private struct ResourceLimit
    {
        public ulong Current, Most;
    }
}
