using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace JepaSharp.Kernels;

/// <summary>Whether JepaSharp's own CPU kernels run on this machine.</summary>
internal static class KernelSupport
{
    /// <summary>
    /// Environment variable that says what may multiply matrices: <c>off</c> leaves everything to libtorch's operators, the key of a computation
    /// (<c>fp32</c>, <c>bf16-dot</c>, ...) leaves that alone of the kernels, and without it, or with <c>auto</c>, what is measured fastest is taken.
    /// </summary>
    public const string Variable = "JEPASHARP_KERNELS";

    private static readonly string Asked = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } asked ? asked : "auto";

    /// <summary>float32 products need AVX2 and FMA; the machine code is for the calling convention of Linux and macOS.</summary>
    public static bool Singles { get; } =
        Asked != "off" && (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
        && RuntimeInformation.ProcessArchitecture == Architecture.X64 && Avx2.IsSupported && Fma.IsSupported;

    /// <summary>bfloat16 products need AVX512_BF16 as well (Intel SDM: CPUID leaf 7, sub-leaf 1, EAX bit 5).</summary>
    public static bool Pairs { get; } =
        Singles && Avx512F.IsSupported && Avx512BW.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;

    /// <summary>What the variable asks for: auto, off, or the key of a computation.</summary>
    public static string Wanted => Asked;

    /// <summary>How the kernels stand, in words.</summary>
    public static string Description => (Asked, Singles, Pairs) switch
    {
        ("off", _, _) => $"off ({Variable}=off)",
        (_, false, _) => "off (they need AVX2 and Linux)",
        (_, _, false) => $"float32, and bfloat16 multiplied as float32 ({Vectors})",
        _ => $"float32 and bfloat16 ({Vectors}, AVX512_BF16)",
    };

    private static string Vectors => Avx512F.IsSupported ? "AVX-512" : "AVX2";

    /// <summary>Whether the variable lets a computation be chosen.</summary>
    public static bool Allows(string key) => Asked is "auto" || Asked == key || key.StartsWith("libtorch", StringComparison.Ordinal);
}
