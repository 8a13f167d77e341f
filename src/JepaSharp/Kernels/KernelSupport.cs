using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace JepaSharp.Kernels;

/// <summary>Whether JepaSharp's own CPU kernels run on this machine.</summary>
internal static class KernelSupport
{
    /// <summary>Environment variable that turns them off when set to <c>off</c>: everything then runs on libtorch's operators.</summary>
    public const string Variable = "JEPASHARP_KERNELS";

    /// <summary>float32 products need AVX2 and FMA; the machine code is for the calling convention of Linux and macOS.</summary>
    public static bool Singles { get; } =
        Environment.GetEnvironmentVariable(Variable) != "off" && (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
        && RuntimeInformation.ProcessArchitecture == Architecture.X64 && Avx2.IsSupported && Fma.IsSupported;

    /// <summary>bfloat16 products need AVX512_BF16 as well (Intel SDM: CPUID leaf 7, sub-leaf 1, EAX bit 5).</summary>
    public static bool Pairs { get; } = Singles && Avx512F.IsSupported && Avx512BW.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;

    /// <summary>How the kernels stand, in words.</summary>
    public static string Description => (Singles, Pairs) switch
    {
        (false, _) => "off (they need AVX2 and Linux)",
        (_, false) => "float32",
        _ => "float32 and bfloat16",
    };
}
