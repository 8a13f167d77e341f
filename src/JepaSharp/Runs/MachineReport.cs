using System.Globalization;
using System.Runtime.InteropServices;
using JepaSharp.Configuration;
using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Runs;

/// <summary>One thing to know about a machine.</summary>
/// <param name="Section">What it belongs to: machine, libtorch, speed, choice.</param>
/// <param name="Key">Stable name for programs: snake_case.</param>
/// <param name="Name">Name for people.</param>
/// <param name="Text">Value for people, with its unit.</param>
/// <param name="Value">Value for programs: a string, number, truth value or list of strings.</param>
public sealed record MachineItem(string Section, string Key, string Name, string Text, object? Value);

/// <summary>What this machine offers, what it measures at, and what will be used of it.</summary>
public static class MachineReport
{
    private const int Side = 224;
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(0.4);

    private static readonly string[] Timed = ["vit_tiny", "vit_small"];

    /// <summary>Everything, in the order to show; takes some seconds.</summary>
    /// <param name="folder">The folder whose disk is looked at.</param>
    /// <exception cref="LibtorchNotLoadedException">libtorch does not load.</exception>
    public static IEnumerable<MachineItem> Collect(string folder)
    {
        NativeLibtorch.Load();
        var device = TorchBackend.ChooseDevice("auto");
        var fp32 = MatrixProductBenchmark.GigaflopsPerSecond(device, ScalarType.Float32, Budget);
        var bf16 = MatrixProductBenchmark.GigaflopsPerSecond(device, ScalarType.BFloat16, Budget);
        var choices = device.type == DeviceType.CPU ? Timed.Select(name => (Name: name, Choice: Choose(name, device))).ToList() : [];
        var shown = choices.Count > 0 ? choices[^1].Choice : Choose(Timed[^1], device);
        var blocks = choices.SelectMany(c => Blocks(c.Name, c.Choice));
        return [.. Machine(folder), .. Libtorch(), .. Speed(fp32, bf16), .. blocks, .. Choice(device, shown)];
    }

    private static IEnumerable<MachineItem> Machine(string folder)
    {
        var processor = Processor.Detect();
        var memory = MachineMemory.Detect();
        yield return Item("os", "system", RuntimeInformation.OSDescription);
        yield return Item("dotnet", ".NET", RuntimeInformation.FrameworkDescription);
        yield return Item("processor", "processor", processor.Model);
        yield return new("machine", "cores", "cores", $"{processor.UsableCores} usable of {processor.LogicalCores} logical", processor.UsableCores);
        yield return new("machine", "instructions", "instructions", string.Join(", ", processor.Instructions), processor.Instructions);
        var limit = memory.IsLimited ? " (limit of the control group)" : "";
        yield return new("machine", "memory_bytes", "memory", Gigabytes(memory.TotalBytes) + limit, memory.TotalBytes);
        yield return new("machine", "memory_available_bytes", "memory available", Gigabytes(memory.AvailableBytes), memory.AvailableBytes);
        if (FreeDisk(folder) is { } free) yield return new("machine", "disk_free_bytes", "disk free here", Gigabytes(free), free);

        static MachineItem Item(string key, string name, string value) => new("machine", key, name, value, value);
    }

    private static IEnumerable<MachineItem> Libtorch()
    {
        var devices = cuda.is_available() ? cuda.device_count() : 0;
        yield return new("libtorch", "libtorch", "libtorch", __version__, __version__);
        var folder = NativeLibtorch.LibtorchFolder;
        yield return new("libtorch", "libtorch_folder", "loaded from", folder ?? "the system's search path", folder);
        var mended = NativeLibtorch.UsesMendedCopy;
        yield return new(
            "libtorch", "mended_copy", "native binding", mended ? "a mended copy, for this system's older libstdc++" : "as shipped", mended);
        yield return new("libtorch", "cuda_devices", "CUDA devices", devices == 0 ? "none" : devices.ToString(CultureInfo.InvariantCulture), devices);
    }

    private static IEnumerable<MachineItem> Speed(double fp32, double bf16)
    {
        yield return Rate("fp32_gflops", "matrix products fp32", fp32);
        yield return Rate("bf16_gflops", "matrix products bf16", bf16);

        static MachineItem Rate(string key, string name, double value) =>
            new("speed", key, name, string.Create(CultureInfo.InvariantCulture, $"{value:F0} GFLOP/s"), Math.Round(value, 1));
    }

    /// <summary>Measured anew, whatever earlier starts have kept.</summary>
    private static ComputationChoice Choose(string model, Device device)
    {
        var preset = EncoderPreset.All.Single(p => p.Name == model);
        var shape = new VisionTransformerShape
        {
            ImageHeight = Side,
            ImageWidth = Side,
            PatchSize = 16,
            Width = preset.Width,
            Depth = preset.Depth,
            Heads = preset.Heads,
            MlpWidth = 4 * preset.Width,
        };
        return ComputationChoice.For(Precision.Auto, device, shape, trained: true, anew: true);
    }

    private static IEnumerable<MachineItem> Blocks(string model, ComputationChoice choice)
    {
        foreach (var timing in choice.Timings)
        {
            var milliseconds = timing.Milliseconds;
            yield return new(
                "speed", $"{model}_{timing.Computation.Key}_ms", $"a {model} block, {timing.Computation.Words}",
                string.Create(CultureInfo.InvariantCulture, $"{milliseconds:F1} ms"), Math.Round(milliseconds, 2));
        }
    }

    private static IEnumerable<MachineItem> Choice(Device device, ComputationChoice choice)
    {
        yield return new("choice", "device", "device", device.ToString(), device.ToString());
        yield return new("choice", "kernels", "CPU kernels", AttachedKernels.Support, AttachedKernels.Support);
        yield return new("choice", "precision", "precision", $"{choice.Name} ({choice.Reason})", choice.Name);
        yield return new("choice", "computation", "products", choice.Computation.Words, choice.Computation.Key);
        yield return new("choice", "threads", "compute threads", get_num_threads().ToString(CultureInfo.InvariantCulture), get_num_threads());
    }

    private static long? FreeDisk(string folder)
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    private static string Gigabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):F1} GiB");
}
