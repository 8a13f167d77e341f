using System.Diagnostics;
using System.Globalization;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;
using static TorchSharp.torch;

namespace JepaSharp.Benchmarks;

/// <summary>What ranks cost each other: the inputs of the model in docs/scaling.md. Started by an <c>mpirun</c>.</summary>
internal static class RanksBenchmark
{
    private const int Rounds = 21, Meetings = 200;

    /// <param name="numbers">float32 numbers of a gradient.</param>
    public static int Run(int numbers)
    {
        if (Launch.Detect() is not { } launch)
            throw new JepaException("Start it on several processes: mpirun -n 2 dotnet JepaSharp.Benchmarks.dll ranks NUMBERS", isUsage: true);
        using var ranks = MpiCollective.Join(launch);
        RankCores.Divide(ranks);
        using var gradient = ones([numbers]);
        var meeting = Median(() =>
        {
            for (var i = 0; i < Meetings; i++) _ = ranks.Gather([1, 2, 3, 4, 5, 6, 7, 8]);
        }) / Meetings;
        var sum = Median(() => ranks.Sum([gradient]));
        if (ranks.IsFirst)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{ranks.Size} ranks on {ranks.Places.Select(p => p.Host).Distinct().Count()} machines, {ranks.Description}, "
                    + $"{RankCores.Count} cores each: a meeting {1e6 * meeting:F0} µs; {numbers:N0} numbers added up in {1e3 * sum:F1} ms, "
                    + $"{2.0 * (ranks.Size - 1) / ranks.Size * numbers * sizeof(float) / sum / 1e9:F2} GB/s a rank"));
        return ranks.Leave();
    }

    private static double Median(Action work)
    {
        work();
        var seconds = new List<double>();
        for (var i = 0; i < Rounds; i++)
        {
            var clock = Stopwatch.StartNew();
            work();
            seconds.Add(clock.Elapsed.TotalSeconds);
        }

        return seconds.Order().ElementAt(Rounds / 2);
    }
}
