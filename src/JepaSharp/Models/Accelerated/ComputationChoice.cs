using System.Globalization;
using JepaSharp.Kernels;
using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>How a network will compute, and why: measured on a block of its shape, unless somebody said.</summary>
/// <param name="Computation">Number format and what multiplies.</param>
/// <param name="Reason">Why, in words that can follow "fp32: ".</param>
/// <param name="Timings">What was measured, the fastest first; empty where nothing was.</param>
public sealed record ComputationChoice(Computation Computation, string Reason, IReadOnlyList<ComputationTiming> Timings)
{
    /// <summary>On a GPU, bf16 is chosen where its matrix products are measured at least this much faster: the casts around them cost
    /// something.</summary>
    public const double WorthwhileOnGpu = 1.2;

    // float32 where there is no more than this between it and bfloat16: it is exacter.
    private const double WorthLosingDigits = 1.1;

    /// <summary>fp32 or bf16, as the command line and the configuration call it.</summary>
    public string Name => Computation.PrecisionName;

    /// <summary>The choice for an encoder; about two seconds where it has to be measured, kept for later starts.</summary>
    /// <param name="precision">A number format, or the faster by measuring.</param>
    /// <param name="device">Where the work will be done.</param>
    /// <param name="shape">Of the encoder.</param>
    /// <param name="trained">Whether gradients are wanted.</param>
    /// <param name="anew">Measure, whatever was measured at an earlier start.</param>
    /// <exception cref="JepaException"><c>JEPASHARP_KERNELS</c> names what is not known or not here.</exception>
    public static ComputationChoice For(Precision precision, Device device, VisionTransformerShape shape, bool trained, bool anew = false)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(shape);
        return device.type == DeviceType.CPU ? OnCpu(precision, BlockShape.Of(shape, trained), CacheFolder.Default(), ComputationTimings.Of, anew)
            : OnGpu(precision, type => MatrixProductBenchmark.GigaflopsPerSecond(device, type, TimeSpan.FromSeconds(0.2)));
    }

    /// <summary>The same by the option's text: auto, fp32 or bf16.</summary>
    /// <exception cref="JepaException">It is none of these.</exception>
    public static ComputationChoice For(string precision, Device device, VisionTransformerShape shape, bool trained) =>
        For(TorchBackend.ParsePrecision(precision), device, shape, trained);

    /// <summary>What a run began with, where it can go on with it here; null where it cannot, or where this is another format than was asked
    /// for.</summary>
    /// <param name="key">The computation's key, from a checkpoint.</param>
    /// <param name="precision">What is asked for now.</param>
    /// <param name="device">Where the work will be done.</param>
    public static ComputationChoice? AsBefore(string? key, Precision precision, Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (key is null || device.type != DeviceType.CPU || !KernelSupport.LeavesTheChoice) return null;
        if (Computation.Of(key) is not { } before || !Computation.OnCpu.Contains(before)) return null;
        var isAsked = precision == Precision.Auto || before.Precision == TypeOf(precision);
        return isAsked ? new ComputationChoice(before, $"{before.Words}, as the run began", []) : null;
    }

    internal static ComputationChoice OnCpu(
        Precision precision, BlockShape shape, string? cache, Func<BlockShape, IReadOnlyList<Computation>, IReadOnlyList<ComputationTiming>> measure,
        bool anew = false)
    {
        if (Demanded(precision) is { } demanded) return demanded;
        var all = Computation.OnCpu;
        var candidates = precision switch
        {
            Precision.Fp32 => [.. all.Where(c => c.Precision == ScalarType.Float32)],
            Precision.Bf16 => [.. all.Where(c => c.Precision == ScalarType.BFloat16)],
            _ => all,
        };
        if (candidates is [var only]) return new ComputationChoice(only, $"{only.Words}, the only way here", []);

        // All are measured together, whatever was asked for, so that one file serves every question.
        var kept = anew ? null : KeptTimings.Find(cache, shape);
        var timings = kept?.Timings ?? measure(shape, all);
        if (kept is null) KeptTimings.Keep(cache, shape, timings);
        var fitting = timings.Where(t => candidates.Contains(t.Computation)).ToList();
        if (fitting.Count == 0)
        {
            // The kernels do not fit the shape, and libtorch was too slow to be timed.
            var libtorch = candidates.Last(c => c.Products == ProductMethod.Libtorch);
            return new ComputationChoice(libtorch, $"{libtorch.Words}, the only way for this shape", []);
        }

        var when = kept is { When: var day } ? $"measured on {day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}" : "measured now";
        var choice = FromTimings(fitting, when);
        var untimed = candidates.Where(c => fitting.All(t => t.Computation != c)).ToList();
        if (untimed.Count == 0) return choice;
        var left = string.Join(", ", untimed.Select(c => c.Words));
        return choice with { Reason = $"{choice.Reason}; not timed, as unfit or many times slower: {left}" };
    }

    /// <summary>The choice that timings lead to: the fastest, but float32 before a bfloat16 that is hardly faster.</summary>
    internal static ComputationChoice FromTimings(IReadOnlyList<ComputationTiming> timings, string when)
    {
        var ordered = timings.OrderBy(t => t.Milliseconds).ToList();
        var chosen = ordered.FirstOrDefault(
            t => t.Computation.Precision == ScalarType.Float32 && t.Milliseconds <= WorthLosingDigits * ordered[0].Milliseconds) ?? ordered[0];
        string Of(ComputationTiming t) => string.Create(CultureInfo.InvariantCulture, $"{t.Milliseconds:F1} {t.Computation.Words}");
        var others = string.Concat(ordered.Where(t => t != chosen).Select(t => ", " + Of(t)));
        var cores = chosen.OnOneCore ? " on one core, others being busy" : "";
        var reason = string.Create(CultureInfo.InvariantCulture,
            $"{chosen.Computation.Words}: {chosen.Milliseconds:F1} ms a block of this width{cores}{others}; {when}");
        return new ComputationChoice(chosen.Computation, reason, ordered);
    }

    internal static ComputationChoice OnGpu(Precision precision, Func<ScalarType, double> measure)
    {
        if (precision == Precision.Fp32) return new ComputationChoice(new(ScalarType.Float32, ProductMethod.Libtorch), "asked for", []);
        if (precision == Precision.Bf16) return new ComputationChoice(new(ScalarType.BFloat16, ProductMethod.Libtorch), "asked for", []);
        var (fp32, bf16) = (measure(ScalarType.Float32), measure(ScalarType.BFloat16));
        var reason = string.Create(CultureInfo.InvariantCulture, $"matrix products measured at {fp32:F0} GFLOP/s in fp32 and {bf16:F0} in bf16");
        var chosen = bf16 > WorthwhileOnGpu * fp32 ? ScalarType.BFloat16 : ScalarType.Float32;
        return new ComputationChoice(new(chosen, ProductMethod.Libtorch), reason, []);
    }

    private static ScalarType TypeOf(Precision precision) => precision == Precision.Bf16 ? ScalarType.BFloat16 : ScalarType.Float32;

    /// <summary>What the environment variable says, or null.</summary>
    private static ComputationChoice? Demanded(Precision precision)
    {
        var wanted = KernelSupport.Wanted;
        if (KernelSupport.LeavesTheChoice || wanted == "off") return null;
        if (Computation.Of(wanted) is not { } computation)
        {
            throw new JepaException(
                $"{KernelSupport.Variable} is \"{wanted}\", which is not known. Use auto, on, off, or one of {string.Join(", ", Computation.Keys)}.",
                isUsage: true);
        }

        if (!Computation.OnCpu.Contains(computation))
        {
            throw new JepaException(
                $"{KernelSupport.Variable} asks for {computation.Words}, which this machine cannot do; it can do "
                    + $"{string.Join(", ", Computation.Supported.Select(c => c.Key))}.",
                isUsage: true);
        }

        var isOther = precision != Precision.Auto && computation.Precision != TypeOf(precision);
        return isOther ? null : new ComputationChoice(computation, $"{computation.Words}, as {KernelSupport.Variable} says", []);
    }
}
