using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace JepaSharp.Runtime;

/// <summary>The processor that this process runs on.</summary>
/// <param name="Model">What its maker calls it.</param>
/// <param name="LogicalCores">Logical cores of the machine.</param>
/// <param name="UsableCores">Logical cores that this process may use: affinity and container limits counted, fractions rounded up.</param>
/// <param name="Instructions">Vector and matrix instructions that matter here: AVX2, AVX-512, AVX512_BF16, AMX, NEON.</param>
public sealed record Processor(string Model, int LogicalCores, int UsableCores, IReadOnlyList<string> Instructions)
{
    /// <summary>Asks the system and the processor itself.</summary>
    public static Processor Detect()
    {
        var (model, cores) = OperatingSystem.IsLinux() ? ReadCpuInfo() : (null, 0);
        var usable = Environment.ProcessorCount;
        return new Processor(model ?? RuntimeInformation.ProcessArchitecture.ToString(), Math.Max(cores, usable), usable, [.. DetectInstructions()]);
    }

    private static (string? Model, int Cores) ReadCpuInfo()
    {
        try
        {
            var lines = File.ReadAllLines("/proc/cpuinfo");
            var model = lines.FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal));
            var cores = lines.Count(l => l.StartsWith("processor", StringComparison.Ordinal));
            return (model?[(model.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim(), cores);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, 0);
        }
    }

    private static IEnumerable<string> DetectInstructions()
    {
        if (AdvSimd.IsSupported) yield return "NEON";
        if (Avx2.IsSupported) yield return "AVX2";
        if (Avx512F.IsSupported) yield return "AVX-512";
        if (!X86Base.IsSupported || X86Base.CpuId(0, 0).Eax < 7) yield break;
        // Intel SDM, CPUID leaf 7: sub-leaf 1 EAX bit 5; sub-leaf 0 EDX bits 22 and 24.
        if (Avx512F.IsSupported && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0) yield return "AVX512_BF16";
        var features = X86Base.CpuId(7, 0).Edx;
        if ((features & (1 << 24)) != 0 && (features & (1 << 22)) != 0) yield return "AMX_BF16";
    }
}
