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

/// <summary>
/// Settings of the whole process that make training faster. A program that hosts JepaSharp asks for them, or leaves its process as it is.
/// </summary>
/// <remarks>
/// On Linux with glibc: large freed blocks are kept instead of handed back to the kernel (<c>mallopt</c>), and OpenMP's threads sleep instead of spin
/// (<c>OMP_WAIT_POLICY=passive</c> in the environment of the process and its children). Environment variables that say otherwise win. Nothing
/// elsewhere.
/// </remarks>
public static class RuntimeTuning
{
    /// <summary>Whether <see cref="Apply"/> was called.</summary>
    public static bool IsApplied { get; private set; }

    /// <summary>
    /// Applies the settings, for the rest of the process. Before libtorch is loaded: OpenMP reads its setting as it is itself loaded.
    /// </summary>
    public static void Apply()
    {
        IsApplied = true;
        if (!OperatingSystem.IsLinux()) return;
        MemoryAllocator.KeepLargeBlocks();
        OpenMpWaiting.LetThreadsSleep();
    }
}

/// <summary>Tells libtorch's OpenMP threads to sleep when they have nothing to do.</summary>
/// <remarks>
/// By default they spin for some milliseconds after each operator, on cores that JepaSharp's own kernels, its image loader, or another program would
/// use. Has to be said before the OpenMP library is loaded; <c>OMP_WAIT_POLICY</c> and <c>GOMP_SPINCOUNT</c>, where set, win.
/// </remarks>
internal static partial class OpenMpWaiting
{
    public static void LetThreadsSleep()
    {
        if (Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is not null) return;
        if (Environment.GetEnvironmentVariable("GOMP_SPINCOUNT") is not null) return;
        try
        {
            _ = SetVariable("OMP_WAIT_POLICY", "passive", 0); // .NET's own setter does not reach native libraries
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Threads spin: slower, nothing worse.
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
