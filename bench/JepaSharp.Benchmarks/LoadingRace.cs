using System.Diagnostics;
using System.Globalization;

namespace JepaSharp.Benchmarks;

/// <summary>This loader and another program in turn, each bound to as many cores as it has threads; every program prints its images a second.</summary>
internal static class LoadingRace
{
    /// <summary>Runs the rounds and prints medians and their ratio.</summary>
    /// <param name="folder">The images as this program sees them.</param>
    /// <param name="peerFolder">The images as the other program sees them.</param>
    /// <param name="cropSize">Side of the crops in pixels.</param>
    /// <param name="threads">Loader threads, worker processes and cores.</param>
    /// <param name="kernel">bilinear or bicubic.</param>
    /// <param name="count">Images an epoch.</param>
    /// <param name="rounds">How often each runs.</param>
    /// <param name="peer">The other program; folder, crop size, threads, kernel and images are added.</param>
    public static int Run(string folder, string peerFolder, int cropSize, int threads, string kernel, int count, int rounds, IReadOnlyList<string> peer)
    {
        string[] rest = [.. new[] { cropSize, threads }.Select(n => n.ToString(CultureInfo.InvariantCulture)), kernel, count.ToString(CultureInfo.InvariantCulture)];
        string[] ours = [Environment.ProcessPath!, "load-tensors", folder, .. rest];
        string[] theirs = [.. peer, peerFolder, .. rest];
        var (our, their) = (new List<double>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            our.Add(Measure(ours, threads));
            their.Add(Measure(theirs, threads));
            Console.WriteLine(FormattableString.Invariant($"round {round + 1}: {our[^1]:F0} and {their[^1]:F0} images/s, {our[^1] / their[^1]:F2}x"));
        }

        Console.WriteLine(FormattableString.Invariant(
            $"{folder} at {cropSize}, {kernel}, {threads} thread(s): median {Median(our):F0} and {Median(their):F0} images/s, {Median([.. our.Zip(their, (a, b) => a / b)]):F2}x"));
        return 0;
    }

    private static double Measure(string[] command, int cores)
    {
        var start = new ProcessStartInfo("taskset", ["-c", FormattableString.Invariant($"0-{cores - 1}"), .. command]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var printed = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var last = printed.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault("");
        return process.ExitCode == 0 && double.TryParse(last, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new InvalidOperationException($"{string.Join(' ', command)} ended with {process.ExitCode} and printed \"{last}\"; expected a number.");
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
