using System.Diagnostics;
using JepaSharp.Weights;

namespace JepaSharp.Benchmarks;

/// <summary>How long an encoder takes to load, and the most memory that the process ever had.</summary>
internal static class WeightsBenchmark
{
    public static int Run(string path)
    {
        var clock = Stopwatch.StartNew();
        using var weights = PretrainedWeights.Open(path);
        var opened = clock.Elapsed;
        using var encoder = PretrainedNetworks.LoadEncoder(weights);
        var loaded = clock.Elapsed;
        var bytes = encoder.state_dict().Values.Sum(tensor => tensor.numel() * sizeof(float));
        using var process = Process.GetCurrentProcess();
        Console.WriteLine(
            $"{weights.Path}: opened in {opened.TotalSeconds:F2} s, loaded after {loaded.TotalSeconds:F2} s; {bytes / 1e9:F2} GB of weights, "
            + $"peak memory {process.PeakWorkingSet64 / 1e9:F2} GB");
        return 0;
    }
}
