using System.Globalization;

namespace JepaSharp.Benchmarks.Steps;

/// <summary>Resident memory of this process in MiB, as Linux counts it.</summary>
internal static class ProcessMemory
{
    /// <summary>Largest so far.</summary>
    public static double Peak => Read("VmHWM:");

    /// <summary>Now.</summary>
    public static double Now => Read("VmRSS:");

    private static double Read(string key)
    {
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith(key, StringComparison.Ordinal));
        return double.Parse(line[key.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) / 1024;
    }
}
