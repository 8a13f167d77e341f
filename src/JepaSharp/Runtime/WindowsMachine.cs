using System.Runtime.InteropServices;

namespace JepaSharp.Runtime;

/// <summary>What Windows says of the machine.</summary>
internal static partial class WindowsMachine
{
    /// <summary>Physical memory, all and free; null where the system does not say.</summary>
    public static MachineMemory? Memory()
    {
        var status = new MemoryStatus { Length = (uint)Marshal.SizeOf<MemoryStatus>() };
        return Status(ref status) != 0 ? new MachineMemory((long)status.Physical, (long)status.FreePhysical, false) : null;
    }

    [LibraryImport("kernel32", EntryPoint = "GlobalMemoryStatusEx")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Status(ref MemoryStatus status);

    // MEMORYSTATUSEX of sysinfoapi.h.
    [StructLayout(LayoutKind.Sequential)]
    private struct MemoryStatus
    {
        public uint Length, Load;
        public ulong Physical, FreePhysical, Paged, FreePaged, Addresses, FreeAddresses, FreeExtended;
    }
}
