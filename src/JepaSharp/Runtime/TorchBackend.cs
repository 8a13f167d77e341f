using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Runtime;

/// <summary>Chooses the device of the heavy work.</summary>
public static class TorchBackend
{
    /// <summary>The device that a choice means.</summary>
    /// <param name="choice"><c>auto</c> (a CUDA device if there is one), <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
    /// <exception cref="JepaException">The choice is none of these, or the machine has no such device.</exception>
    public static Device ChooseDevice(string choice)
    {
        NativeLibtorch.Load();
        return ChooseDevice(choice, cuda.is_available() ? cuda.device_count() : 0);
    }

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
}
