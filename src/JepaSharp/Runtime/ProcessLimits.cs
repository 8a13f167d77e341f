using System.Globalization;
using System.Runtime.InteropServices;

namespace JepaSharp.Runtime;

/// <summary>What a shell, a cluster or a service manager allows a process (<c>ulimit</c>): address space, open files, threads.</summary>
/// <remarks>
/// Where one runs out in native code, the process ends without a word, so they are asked before libtorch is loaded. Address space counts what is
/// reserved, not what is used: the collector alone reserves half of a limit and the code heap a fifth; libtorch and a stack a thread come on top.
/// </remarks>
public static partial class ProcessLimits
{
    /// <summary>With less address space than this, in bytes, the smallest training run does not come through.</summary>
    public const long LeastAddressSpace = 4_500_000_000;

    private const int LeastFiles = 100, FewThreads = 4096, ThreadsToTry = 10;
    private const int Threads = 6, Files = 7, AddressSpace = 9; // RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_AS on Linux

    /// <summary>A sentence about the limit on address space and how to raise it; empty where there is none.</summary>
    public static string AboutAddressSpace => Limit(AddressSpace) is { } bytes
        ? Text($"Address space is limited to {bytes / 1e9:F1} GB (ulimit -v {bytes / 1024}); ")
            + Text($"at least {LeastAddressSpace / 1e9:F1} GB are needed, more for larger models. ")
            + "Raise it with 'ulimit -v unlimited', or ask for more memory where the job is started."
        : "";

    /// <summary>Checks that libtorch has room.</summary>
    /// <exception cref="JepaException">It has not: the message says which limit to raise.</exception>
    public static void Require()
    {
        if (Limit(AddressSpace) < LeastAddressSpace) throw new JepaException("Memory is too short for libtorch. " + AboutAddressSpace);
        if (Limit(Files) is { } files and < LeastFiles)
            throw new JepaException(
                Text($"Only {files} files may be open at once (ulimit -n {files}); at least {LeastFiles} are needed. Raise it: ulimit -n 1024."));
        if (Limit(Threads) is { } threads and < FewThreads) RequireThreads(threads);
    }

    /// <summary>The limit counts the threads of all of a user's processes, so the only way to know what is left is to start some.</summary>
    private static void RequireThreads(long limit)
    {
        using var tried = new ManualResetEventSlim();
        var started = new List<Thread>();
        var wanted = ThreadsToTry + (2 * Environment.ProcessorCount);
        try
        {
            while (started.Count < wanted)
            {
                var thread = new Thread(tried.Wait, 64 << 10) { IsBackground = true };
                thread.Start();
                started.Add(thread);
            }
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            throw new JepaException(
                Text($"Only {started.Count} more threads can be started, of about {wanted} that are needed: ")
                + Text($"the processes of this user together may have {limit} (ulimit -u {limit}). ")
                + "End some of them, or raise the limit.",
                inner: e);
        }
        finally
        {
            tried.Set();
            foreach (var thread in started) thread.Join();
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static long? Limit(int resource) =>
        OperatingSystem.IsLinux() && GetLimit(resource, out var limit) == 0 && limit.Current < long.MaxValue ? (long)limit.Current : null;

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetLimit(int resource, out ResourceLimit limit);

    private struct ResourceLimit
    {
        public ulong Current, Most;
    }
}
