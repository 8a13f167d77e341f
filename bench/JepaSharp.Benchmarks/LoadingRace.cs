using System.Diagnostics;
using System.Globalization;

namespace JepaSharp.Benchmarks;

/// <summary>This loader and another program in turn, each bound to as many cores as it has threads. Each prints its images a second, and its images a
/// second of processor time.</summary>
/// <remarks>Processor time is what counts where the machine is not otherwise idle: what other programs take away is not in it.</remarks>
internal static class LoadingRace
{
    /// <summary>Runs the rounds and prints medians and their ratio.</summary>
    /// <param name="folder">The images as this program sees them.</param>
    /// <param name="peerFolder">The images as the other program sees them.</param>
    /// <param name="cropSize">Side of the crops in pixels.</param>
    /// <param name="threads">Loader threads, worker processes and cores.</param>
    /// <param name="kernel">bilinear or bicubic, or dino for its ten views of an image.</param>
    /// <param name="count">Images an epoch.</param>
    /// <param name="rounds">How often each runs.</param>
    /// <param name="peer">The other program; folder, crop size, threads, kernel and images are added.</param>
    public static int Run(
        string folder, string peerFolder, int cropSize, int threads, string kernel, int count, int rounds, IReadOnlyList<string> peer)
    {
        string[] rest = [.. new[] { cropSize, threads }.Select(n => n.ToString(CultureInfo.InvariantCulture)), kernel, count.ToString(
            CultureInfo.InvariantCulture)];
        // Started as `dotnet JepaSharp.Benchmarks.dll`, the process is dotnet's.
        string[] self = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [Environment.ProcessPath!,
            typeof(LoadingRace).Assembly.Location] : [Environment.ProcessPath!];
        string[] ours = [.. self, "load-tensors", folder, .. rest];
        string[] theirs = [.. peer, peerFolder, .. rest];
        var (our, their) = (new List<Rates>(), new List<Rates>());
        for (var round = 0; round < rounds; round++)
        {
            our.Add(Measure(ours, threads));
            their.Add(Measure(theirs, threads));
            var (a, b) = (our[^1], their[^1]);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"round {round + 1}: {a.Wall:F0} and {b.Wall:F0} images/s, {a.Wall / b.Wall:F2}x; of processor time {a.Work:F0} and {b.Work:F0}, "
                    + $"{a.Work / b.Work:F2}x"));
        }

        var pairs = our.Zip(their).ToList();
        Console.WriteLine(FormattableString.Invariant($"{folder} at {cropSize}, {kernel}, {threads} thread(s), medians:"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {Median(our.Select(r => r.Wall)):F0} and {Median(their.Select(r => r.Wall)):F0} images/s, "
                + $"{Median(pairs.Select(p => p.First.Wall / p.Second.Wall)):F2}x"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {Median(our.Select(r => r.Work)):F0} and {Median(their.Select(r => r.Work)):F0} images/s of processor time, "
                + $"{Median(pairs.Select(p => p.First.Work / p.Second.Work)):F2}x"));
        return 0;
    }

    private static Rates Measure(string[] command, int cores)
    {
        var start = new ProcessStartInfo("taskset", ["-c", FormattableString.Invariant($"0-{cores - 1}"), .. command])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var printed = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var last = printed.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault("");
        return process.ExitCode == 0 && last.Split(' ') is [var wall, var work]
            ? new Rates(double.Parse(wall, CultureInfo.InvariantCulture), double.Parse(work, CultureInfo.InvariantCulture))
            : throw new InvalidOperationException(
                $"{string.Join(' ', command)} ended with {process.ExitCode} and printed \"{last}\"; expected two numbers.");
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    private readonly record struct Rates(double Wall, double Work);
}
