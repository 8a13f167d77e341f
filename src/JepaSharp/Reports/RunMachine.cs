using System.Runtime.InteropServices;
using System.Text.Json;
using static TorchSharp.torch;

namespace JepaSharp.Reports;

/// <summary>Where a run took place, kept in its folder as <c>machine.json</c>.</summary>
/// <param name="System">Operating system.</param>
/// <param name="Processor">Its name.</param>
/// <param name="Cores">Cores that the process could use.</param>
/// <param name="Device">cpu or cuda:N.</param>
/// <param name="Precision">Number format, and what multiplied: "bf16 on the CPU kernels (VDPBF16PS)".</param>
/// <param name="Dotnet">Version of .NET.</param>
/// <param name="Libtorch">Version of libtorch.</param>
/// <param name="Program">Version of JepaSharp.</param>
/// <param name="Source">What the images were.</param>
/// <param name="Images">How many there were.</param>
/// <param name="Started">When the process began, with the offset from UTC.</param>
public sealed record RunMachine(
    string System, string Processor, int Cores, string Device, string Precision, string Dotnet, string Libtorch, string Program, string Source,
    int Images, DateTimeOffset Started)
{
    /// <summary>Name of the file in a run folder.</summary>
    public const string FileName = "machine.json";

    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>This machine.</summary>
    public static RunMachine Here(string device, string precision, string source, int images)
    {
        var processor = Runtime.Processor.Detect();
        return new RunMachine(
            RuntimeInformation.OSDescription, processor.Model, processor.UsableCores, device, precision, RuntimeInformation.FrameworkDescription,
            __version__,
            typeof(RunMachine).Assembly.GetName().Version!.ToString(3), source, images, TimeProvider.System.GetLocalNow());
    }

    /// <summary>Writes it into a run folder, over what an earlier process of the run wrote.</summary>
    public void Write(string folder) => File.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, Format) + "\n");

    /// <summary>Reads it; null where it is missing or damaged.</summary>
    internal static RunMachine? Read(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<RunMachine>(File.ReadAllText(path), Format) : null;
        }
        catch (JsonException)
        {
            return null; // a report without this paragraph is better than none
        }
    }
}
