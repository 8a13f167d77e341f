using System.Runtime.InteropServices;

namespace JepaSharp.Runtime;

/// <summary>Tells glibc's allocator to keep large freed blocks instead of handing their pages back to the kernel.</summary>
/// <remarks>
/// A training step frees and asks again for the same large blocks; fresh pages have to be zeroed by the kernel each time. The
/// <c>MALLOC_MMAP_THRESHOLD_</c> and <c>MALLOC_TRIM_THRESHOLD_</c> environment variables, where set, win.
/// </remarks>
internal static partial class MemoryAllocator
{
    private static bool _keepsLargeBlocks;

    private const int TrimThreshold = -1; // M_TRIM_THRESHOLD
    private const int MapThreshold = -3;  // M_MMAP_THRESHOLD
    private const int MostOfOlderGlibc = 32 << 20;

    public static void KeepLargeBlocks()
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            // Older glibc refuses more than this, and would then stay at 128 kB.
            if (Environment.GetEnvironmentVariable("MALLOC_MMAP_THRESHOLD_") is null && SetOption(MapThreshold, 1 << 30) == 0)
                _ = SetOption(MapThreshold, MostOfOlderGlibc);
            if (Environment.GetEnvironmentVariable("MALLOC_TRIM_THRESHOLD_") is null) _ = SetOption(TrimThreshold, 2000 << 20);
            _keepsLargeBlocks = true;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Not glibc (musl): nothing to tell.
        }
    }

    /// <summary>
    /// From now on very large blocks come straight from the kernel and go back when freed. Nothing where <see cref="KeepLargeBlocks"/> was not asked
    /// for.
    /// </summary>
    /// <remarks>
    /// With kernels of our own, which keep their memory to themselves, few large tensors are left in a step. Those of some megabytes stay in the
    /// heap, because
    /// touching a fresh page costs up to eight microseconds on a virtual machine; what is larger than this would lie idle for too much of a step.
    /// </remarks>
    public static void GiveBackLargeBlocks()
    {
        if (!_keepsLargeBlocks) return;
        try
        {
            if (Environment.GetEnvironmentVariable("MALLOC_MMAP_THRESHOLD_") is null) _ = SetOption(MapThreshold, MostOfOlderGlibc);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Not glibc.
        }
    }

    /// <summary>
    /// Hands free pages back to the kernel once: after something large was moved, what it left behind may never fit anything again. Nothing where
    /// <see cref="KeepLargeBlocks"/> was not asked for: glibc by itself keeps little.
    /// </summary>
    public static void GiveBackFreePages()
    {
        if (!_keepsLargeBlocks) return;
        try
        {
            _ = Trim(0);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Not glibc.
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Trim(nuint keep);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetOption(int parameter, int value);
}
