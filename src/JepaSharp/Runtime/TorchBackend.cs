using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Runtime;

/// <summary>Chooses the device and the number format of the heavy work.</summary>
public static class TorchBackend
{
    /// <summary>bf16 is chosen only where its matrix products are measured at least this much faster: the casts around them cost something.</summary>
    public const double WorthwhileSpeedup = 1.2;

    /// <summary>The device that a choice means.</summary>
    /// <param name="choice"><c>auto</c> (a CUDA device if there is one), <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
    /// <exception cref="JepaException">The choice is none of these, or the machine has no such device.</exception>
    public static Device ChooseDevice(string choice)
    {
        NativeLibtorch.Load();
        return ChooseDevice(choice, cuda.is_available() ? cuda.device_count() : 0);
    }

    /// <summary>float32 or bfloat16, and why.</summary>
    /// <param name="choice"><c>auto</c> (by measuring, about half a second), <c>fp32</c> or <c>bf16</c>.</param>
    /// <param name="device">Where the work will be done.</param>
    /// <exception cref="JepaException">The choice is none of these.</exception>
    public static PrecisionChoice ChoosePrecision(string choice, Device device) => ChoosePrecision(ParsePrecision(choice), device);

    /// <summary>float32 or bfloat16, and why.</summary>
    /// <param name="choice">One of the two, or the faster by measuring, about half a second.</param>
    /// <param name="device">Where the work will be done.</param>
    public static PrecisionChoice ChoosePrecision(Precision choice, Device device) =>
        ChoosePrecision(choice, type => MatrixProductBenchmark.GigaflopsPerSecond(device, type, TimeSpan.FromSeconds(0.2)));

    internal static Precision ParsePrecision(string choice) => choice switch
    {
        "auto" => Precision.Auto,
        "fp32" => Precision.Fp32,
        "bf16" => Precision.Bf16,
        _ => throw new JepaException($"Precision \"{choice}\" is not known. Use auto, fp32 or bf16.", isUsage: true),
    };

    internal static Device ChooseDevice(string choice, int cudaDevices)
    {
        switch (choice)
        {
            case "auto": return cudaDevices > 0 ? new Device(DeviceType.CUDA, 0) : new Device(DeviceType.CPU);
            case "cpu": return new Device(DeviceType.CPU);
        }

        var number = choice == "cuda" ? "0" : choice.StartsWith("cuda:", StringComparison.Ordinal) ? choice["cuda:".Length..] : "";
        if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var index))
            throw new JepaException($"Device \"{choice}\" is not known. Use auto, cpu, cuda or cuda:N.", isUsage: true);
        if (cudaDevices == 0)
            throw new JepaException(
                $"Device \"{choice}\" was asked for, but this libtorch sees no CUDA device. "
                + $"Use cpu or auto, or set {NativeLibtorch.FolderVariable} to the torch/lib folder of a PyTorch with CUDA.",
                isUsage: true);
        if (index >= cudaDevices)
            throw new JepaException($"Device \"{choice}\" was asked for; this machine has cuda:0 to cuda:{cudaDevices - 1}.", isUsage: true);
        return new Device(DeviceType.CUDA, index);
    }

    internal static PrecisionChoice ChoosePrecision(Precision choice, Func<ScalarType, double> measure) => choice switch
    {
        Precision.Fp32 => new PrecisionChoice(ScalarType.Float32, "asked for"),
        Precision.Bf16 => new PrecisionChoice(ScalarType.BFloat16, "asked for"),
        _ => FromMeasured(measure(ScalarType.Float32), measure(ScalarType.BFloat16)),
    };

    /// <summary>The choice that two measured rates lead to, in GFLOP/s.</summary>
    internal static PrecisionChoice FromMeasured(double fp32, double bf16)
    {
        var reason = string.Create(CultureInfo.InvariantCulture, $"matrix products measured at {fp32:F0} GFLOP/s in fp32 and {bf16:F0} in bf16");
        return new PrecisionChoice(bf16 > WorthwhileSpeedup * fp32 ? ScalarType.BFloat16 : ScalarType.Float32, reason);
    }
}

/// <summary>A number format for the heavy work.</summary>
/// <param name="ScalarType">float32 or bfloat16; weights, moments and averages stay float32 either way.</param>
/// <param name="Reason">Why, in words that can follow "bf16: ".</param>
public readonly record struct PrecisionChoice(ScalarType ScalarType, string Reason)
{
    /// <summary>fp32 or bf16, as the command line and the configuration call it.</summary>
    public string Name => ScalarType == ScalarType.BFloat16 ? "bf16" : "fp32";
}
