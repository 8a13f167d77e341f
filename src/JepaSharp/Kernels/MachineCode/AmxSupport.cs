using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace JepaSharp.Kernels.MachineCode;

/// <summary>Whether this process may use Intel AMX tiles for bfloat16.</summary>
/// <remarks>
/// The processor has to have them (Intel SDM: CPUID leaf 7, EDX bits 22 and 24), the system to save them (XCR0 bits 17 and 18), and Linux to permit
/// them: their 8 KiB grow the frames of signals, so that a process has to ask, once for all of its threads (arch_prctl, since Linux 5.16). Asked when
/// first wanted to know.
/// </remarks>
internal static unsafe partial class AmxSupport
{
    private const uint BrainFloat = 1u << 22, Tiles = 1u << 24;
    private const ulong Saved = 3ul << 17;
    private const int NoSpace = 28, NotSupported = 95, Unknown = 22;
    private static readonly Lazy<string?> LazyMissing = new(Find);

    /// <summary>Whether it may.</summary>
    public static bool IsSupported => Missing is null;

    /// <summary>Why not, as the rest of a sentence; null where it may.</summary>
    public static string? Missing => LazyMissing.Value;

    /// <summary>How it stands, in words.</summary>
    public static string Reason => Missing ?? "tiles of bfloat16";

    /// <summary>What CPUID, XCR0 and the system's answer mean.</summary>
    /// <param name="features">EDX of CPUID leaf 7.</param>
    /// <param name="states">XCR0.</param>
    /// <param name="ask">Asks for permission: 0, or the number of the error.</param>
    internal static string? Explain(uint features, ulong states, Func<int> ask)
    {
        if ((features & (BrainFloat | Tiles)) != (BrainFloat | Tiles))
            return "the processor has no AMX tiles for bfloat16, or what it runs under hides them";
        if ((states & Saved) != Saved) return "the system does not save AMX tiles (bits 17 and 18 of XCR0 are off)";
        return ask() switch
        {
            0 => null,
            NoSpace => "the system refuses AMX tiles: a thread's alternate signal stack is too small for them (ENOSPC)",
            NotSupported or Unknown => "the system knows no permission for AMX tiles; Linux has it since 5.16",
            var error => string.Create(CultureInfo.InvariantCulture, $"the system refuses AMX tiles (error {error})"),
        };
    }

    /// <summary>XCR0: which states the system saves for a thread. Only where CPUID leaf 1 says OSXSAVE.</summary>
    internal static ulong ReadSavedStates()
    {
        var code = new Assembler();
        code.ReadSavedStates();
        code.Return();
        return ((delegate* unmanaged[SuppressGCTransition]<ulong>)MappedMemory.PlaceCode(code.ToArray()))();
    }

    /// <summary>Asks Linux for the permission; 0, or the number of the error.</summary>
    internal static int Ask()
    {
        const int ArchPrctl = 158, RequestPermission = 0x1023, TileData = 18;
        return SystemCall(ArchPrctl, RequestPermission, TileData) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    private static string? Find()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return "the machine code for AMX tiles is for Linux on x86-64";
        const int SavesStates = 1 << 27, Bfloat16 = 1 << 5;
        if (!Avx512F.IsSupported || !Avx512BW.IsSupported || !Avx512DQ.IsSupported || X86Base.CpuId(0, 0).Eax < 7
            || (X86Base.CpuId(7, 1).Eax & Bfloat16) == 0 || (X86Base.CpuId(1, 0).Ecx & SavesStates) == 0)
        {
            return "the processor has no AVX512_BF16, which goes with AMX tiles";
        }

        return Explain((uint)X86Base.CpuId(7, 0).Edx, ReadSavedStates(), Ask);
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint SystemCall(nint number, nint first, nint second);
}
