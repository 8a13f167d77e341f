using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace JepaSharp.Kernels;

/// <summary>Whether JepaSharp's own CPU kernels run on this machine.</summary>
internal static class KernelSupport
{
    /// <summary>
    /// Environment variable that says what may multiply matrices: <c>off</c> leaves everything to libtorch's operators, the key of a computation
    /// (<c>fp32</c>, <c>bf16-dot</c>, ...) leaves that alone of the kernels, and without it, or with <c>auto</c>, what is measured fastest is taken.
    /// On Windows the kernels are among that only with <c>on</c>.
    /// </summary>
    public const string Variable = "JEPASHARP_KERNELS";

    private static readonly string Asked = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } asked ? asked : "auto";

    /// <summary>float32 products need AVX2 and FMA, and a system whose calling convention the machine code has.</summary>
    public static bool Singles { get; } =
        Permits(Asked, OperatingSystem.IsWindows()) && (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() || OperatingSystem.IsWindows())
        && RuntimeInformation.ProcessArchitecture == Architecture.X64 && Avx2.IsSupported && Fma.IsSupported;

    /// <summary>bfloat16 products need AVX512_BF16 as well (Intel SDM: CPUID leaf 7, sub-leaf 1, EAX bit 5).</summary>
    public static bool Pairs { get; } =
        Singles && Avx512F.IsSupported && Avx512BW.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;

    /// <summary>What the variable asks for: auto, on, off, or the key of a computation.</summary>
    public static string Wanted => Asked;

    /// <summary>Whether nobody names a computation, so that what is measured fastest is taken.</summary>
    public static bool LeavesTheChoice => Asked is "auto" or "on";

    /// <summary>How the kernels stand, in words.</summary>
    public static string Description => Describe(Asked, OperatingSystem.IsWindows(), Singles, Pairs);

    private static string Vectors => Avx512F.IsSupported ? "AVX-512" : "AVX2";

    /// <summary>Whether the variable lets a computation be chosen.</summary>
    public static bool Allows(string key) => LeavesTheChoice || Asked == key || key.StartsWith("libtorch", StringComparison.Ordinal);

    /// <summary>Whether the kernels may run at all, as far as the variable goes: on Windows, where nobody has tried them, they have to be asked
    /// for.</summary>
    internal static bool Permits(string asked, bool onWindows) =>
        asked != "off" && !(onWindows && (asked == "auto" || asked.StartsWith("libtorch", StringComparison.Ordinal)));

    /// <summary><see cref="Description"/>, of any system.</summary>
    internal static string Describe(string asked, bool onWindows, bool singles, bool pairs) => (singles, pairs) switch
    {
        (false, _) when asked == "off" => $"off ({Variable}=off)",
        (false, _) when !Permits(asked, onWindows) => $"off (on Windows they are not tried: {Variable}=on asks for them)",
        (false, _) => "off (they need x86-64 with AVX2, on Linux, macOS or Windows)",
        (_, false) => $"float32, and bfloat16 multiplied as float32 ({Vectors})",
        _ => $"float32 and bfloat16 ({Vectors}, AVX512_BF16)",
    };
}
