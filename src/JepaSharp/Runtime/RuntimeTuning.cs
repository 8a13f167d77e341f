namespace JepaSharp.Runtime;

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
