using System.Runtime.InteropServices;

namespace JepaSharp.Kernels;

/// <summary>Windows's calls for memory by the page.</summary>
/// <remarks>Source: Microsoft, memoryapi.h. Memory that is committed counts against the system's limit at once and takes room once touched.</remarks>
internal static partial class WindowsMemory
{
    /// <summary>MEM_COMMIT | MEM_RESERVE.</summary>
    public const uint ReserveAndCommit = 0x3000;

    /// <summary>MEM_RELEASE: all that was reserved at an address; the size given with it is 0.</summary>
    public const uint Release = 0x8000;

    /// <summary>PAGE_READWRITE.</summary>
    public const uint ReadWrite = 0x04;

    private const uint ExecuteRead = 0x20; // PAGE_EXECUTE_READ
    private const nint ThisProcess = -1;   // what GetCurrentProcess returns

    /// <summary>Makes pages executable and no longer writable.</summary>
    /// <returns>Whether the system allows it; <see cref="Marshal.GetLastPInvokeError"/> says why not.</returns>
    public static bool MakeExecutable(nint address, nuint length) =>
        Protect(address, length, ExecuteRead, out _) != 0 && Flush(ThisProcess, address, length) != 0;

    [LibraryImport("kernel32", EntryPoint = "VirtualAlloc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial nint Allocate(nint address, nuint length, uint kind, uint protection);

    [LibraryImport("kernel32", EntryPoint = "VirtualFree", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int Free(nint address, nuint length, uint kind);

    [LibraryImport("kernel32", EntryPoint = "VirtualProtect", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Protect(nint address, nuint length, uint protection, out uint before);

    [LibraryImport("kernel32", EntryPoint = "FlushInstructionCache", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Flush(nint process, nint address, nuint length);
}
