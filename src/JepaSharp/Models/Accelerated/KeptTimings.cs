using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using JepaSharp.Kernels;
using JepaSharp.Runtime;
using TorchSharp;

namespace JepaSharp.Models.Accelerated;

/// <summary>Timings of earlier starts of the same program on the same machine, one small file for each shape; done without where it cannot be read
/// or written.</summary>
internal static class KeptTimings
{
    // Machines are given more or fewer cores, and a measurement may have been made beside other work.
    private static readonly TimeSpan Lasting = TimeSpan.FromDays(14);

    /// <summary>What was measured earlier, and when; null where nothing was, or too long ago.</summary>
    public static (IReadOnlyList<ComputationTiming> Timings, DateTime When)? Find(string? folder, BlockShape shape)
    {
        try
        {
            if (folder is null) return null;
            var path = PathOf(folder, shape);
            if (!File.Exists(path)) return null;
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var when = DateTime.Parse(document.RootElement.GetProperty("when").GetString()!, CultureInfo.InvariantCulture,
                DateTimeStyles.AdjustToUniversal);
            var timings = new List<ComputationTiming>();
            var onOneCore = document.RootElement.GetProperty("on_one_core").GetBoolean();
            foreach (var entry in document.RootElement.GetProperty("milliseconds").EnumerateObject())
            {
                if (Computation.Of(entry.Name) is not { } computation || !(entry.Value.GetDouble() > 0)) return null;
                timings.Add(new ComputationTiming(computation, entry.Value.GetDouble()) { OnOneCore = onOneCore });
            }

            var age = DateTime.UtcNow - when;
            return timings.Count == 0 || age < TimeSpan.FromHours(-1) || age > Lasting ? null : (timings, when);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or FormatException or KeyNotFoundException
            or InvalidOperationException)
        {
            return null; // damaged: measured again
        }
    }

    /// <summary>Keeps them for later starts.</summary>
    public static void Keep(string? folder, BlockShape shape, IReadOnlyList<ComputationTiming> timings)
    {
        if (folder is null) return;
        var path = PathOf(folder, shape);
        var temporary = $"{path}.{Environment.ProcessId}";
        try
        {
            _ = Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(new
            {
                when = DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
                processor = Processor.Detect().Model,
                block = shape.ToString(),
                on_one_core = timings.Any(t => t.OnOneCore),
                milliseconds = timings.ToDictionary(t => t.Computation.Key, t => t.Milliseconds),
            }));
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Measured again at the next start.
        }
    }

    /// <summary>Whatever a timing depends on is in the name.</summary>
    private static string PathOf(string folder, BlockShape shape)
    {
        var processor = Processor.Detect();
        var key = $"{typeof(KeptTimings).Module.ModuleVersionId}\n{torch.__version__}\n{processor.Model}\n"
            + $"{string.Join(' ', processor.Instructions)}\n{processor.UsableCores}\n{torch.get_num_threads()}\n{KernelSupport.Wanted}\n{shape}";
        return Path.Combine(folder, "timings", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 12)) + ".json");
    }
}
