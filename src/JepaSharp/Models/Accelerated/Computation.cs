using JepaSharp.Kernels;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>What multiplies a network's matrices.</summary>
public enum ProductMethod
{
    /// <summary>libtorch's operators.</summary>
    Libtorch,

    /// <summary>JepaSharp's CPU kernels, in float32.</summary>
    Float32,

    /// <summary>JepaSharp's CPU kernels: bfloat16 is kept, and widened to float32 for the products.</summary>
    Widened,

    /// <summary>JepaSharp's CPU kernels: pairs of bfloat16 multiplied in one instruction (VDPBF16PS of AVX512_BF16).</summary>
    PairDots,

    /// <summary>JepaSharp's CPU kernels: tiles of bfloat16 (Intel AMX). Tested in an emulator; not yet run on such a processor by those who wrote
    /// it.</summary>
    AmxTiles,
}

/// <summary>How a network computes: the number format of its products, and what does them.</summary>
/// <param name="Precision">float32 or bfloat16; weights, moments and averages stay float32 either way.</param>
/// <param name="Products">What multiplies.</param>
public readonly record struct Computation(ScalarType Precision, ProductMethod Products)
{
    private static readonly (ProductMethod Products, ScalarType Precision, string Key, string Words)[] Known =
    [
        (ProductMethod.Float32, ScalarType.Float32, "fp32", "fp32 on the CPU kernels"),
        (ProductMethod.Libtorch, ScalarType.Float32, "libtorch-fp32", "fp32 on libtorch"),
        (ProductMethod.PairDots, ScalarType.BFloat16, "bf16-dot", "bf16 on the CPU kernels (VDPBF16PS)"),
        (ProductMethod.AmxTiles, ScalarType.BFloat16, "bf16-amx", "bf16 on the CPU kernels (AMX)"),
        (ProductMethod.Widened, ScalarType.BFloat16, "bf16-fma", "bf16 on the CPU kernels (multiplied as fp32)"),
        (ProductMethod.Libtorch, ScalarType.BFloat16, "libtorch-bf16", "bf16 on libtorch"),
    ];

    /// <summary>Names of all, as <see cref="KernelSupport.Variable"/> and checkpoints know them.</summary>
    public static IReadOnlyList<string> Keys { get; } = [.. Known.Select(k => k.Key)];

    /// <summary>Short name: fp32, libtorch-fp32, bf16-dot, bf16-amx, bf16-fma, libtorch-bf16.</summary>
    public string Key => Entry.Key;

    /// <summary>Name in words: "bf16 on the CPU kernels (VDPBF16PS)".</summary>
    public string Words => Entry.Words;

    /// <summary>fp32 or bf16.</summary>
    public string PrecisionName => Precision == ScalarType.BFloat16 ? "bf16" : "fp32";

    /// <summary>What is there for a CPU to choose from, those with kernels first: what this processor and <c>JEPASHARP_KERNELS</c> allow.</summary>
    public static IReadOnlyList<Computation> OnCpu => [.. Supported.Where(c => KernelSupport.Allows(c.Key))];

    /// <summary>What this processor can do, whatever anybody asks for.</summary>
    internal static IReadOnlyList<Computation> Supported =>
        [.. Known.Select(k => new Computation(k.Precision, k.Products)).Where(c => c.IsSupported)];

    private bool RunsHere => IsSupported && KernelSupport.Allows(Key);

    private bool IsSupported => Products switch
    {
        ProductMethod.PairDots => KernelSupport.Pairs,
        ProductMethod.AmxTiles => KernelSupport.Pairs && AmxTrial.Fault is null,
        ProductMethod.Float32 or ProductMethod.Widened => KernelSupport.Singles,
        _ => true,
    };

    private (ProductMethod Products, ScalarType Precision, string Key, string Words) Entry
    {
        get
        {
            var (products, precision) = (Products, Precision);
            return Known.Single(k => k.Products == products && k.Precision == precision);
        }
    }

    /// <summary>What a number format means where nobody has measured: the kernels with the widest instructions there are, else libtorch.</summary>
    /// <param name="precision">float32 or bfloat16.</param>
    /// <exception cref="ArgumentOutOfRangeException">Another.</exception>
    public static Computation Default(ScalarType precision) => precision switch
    {
        ScalarType.Float32 => FirstOf(precision, ProductMethod.Float32),
        ScalarType.BFloat16 => FirstOf(precision, ProductMethod.PairDots, ProductMethod.Widened),
        _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, "Networks compute in float32 or bfloat16."),
    };

    /// <summary>The computation of that key, or null.</summary>
    public static Computation? Of(string key) =>
        Known.Where(k => k.Key == key).Select(k => (Computation?)new Computation(k.Precision, k.Products)).SingleOrDefault();

    /// <summary>As <see cref="Default"/>.</summary>
    public static implicit operator Computation(ScalarType precision) => Default(precision);

    private static Computation FirstOf(ScalarType precision, params ReadOnlySpan<ProductMethod> methods)
    {
        foreach (var method in methods)
        {
            if (new Computation(precision, method) is { RunsHere: true } fitting) return fitting;
        }

        return new Computation(precision, ProductMethod.Libtorch);
    }
}
