using System.Diagnostics;
using System.Globalization;
using TorchSharp;

namespace JepaSharp.Faults;

/// <summary>What the process held at a moment.</summary>
internal readonly record struct SoakSample(
    double Minutes, string Phase, double ResidentMegabytes, double ManagedMegabytes, int Handles, int Threads, long Tensors);

/// <summary>Looks at the process's own memory, handles, threads and tensors at even intervals.</summary>
internal sealed class SoakWatch : IDisposable
{
    private const double Settled = 0.25;

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly List<SoakSample> _samples = [];
    private readonly Timer _timer;

    private readonly string _table;

    /// <summary>Starts to look.</summary>
    /// <param name="interval">How often.</param>
    /// <param name="table">A CSV file, written as it goes, so that a soak that is cut off has told what it saw.</param>
    public SoakWatch(TimeSpan interval, string table)
    {
        _table = table;
        File.WriteAllText(table, "minutes,phase,resident_mb,managed_mb,handles,threads,tensors\n");
        _timer = new Timer(_ => Sample(), null, interval, interval);
    }

    /// <summary>What is being done.</summary>
    public string Phase { get; set; } = "";

    public IReadOnlyList<SoakSample> Samples
    {
        get
        {
            lock (_samples) return [.. _samples];
        }
    }

    public void Stop() => _timer.Change(Timeout.Infinite, Timeout.Infinite);

    /// <summary>Least-squares slopes an hour, of each phase after its first quarter.</summary>
    public IEnumerable<string> Slopes()
    {
        foreach (var phase in Samples.GroupBy(s => s.Phase))
        {
            var settled = phase.Skip((int)(phase.Count() * Settled)).ToList();
            if (settled.Count < 3) continue;
            string Slope(string what, Func<SoakSample, double> of) => string.Create(
                CultureInfo.InvariantCulture, $"{what} {settled.Min(of):N0} to {settled.Max(of):N0}, {PerHour(settled, of):+0.0;-0.0;0} an hour");
            yield return $"{phase.Key}: {Slope("resident MB", s => s.ResidentMegabytes)}; {Slope("managed MB", s => s.ManagedMegabytes)}; "
                + $"{Slope("handles", s => s.Handles)}; {Slope("threads", s => s.Threads)}; {Slope("tensors", s => s.Tensors)}";
        }
    }

    public void Dispose() => _timer.Dispose();

    private static double PerHour(List<SoakSample> samples, Func<SoakSample, double> of)
    {
        var (x, y) = (samples.Average(s => s.Minutes), samples.Average(of));
        return 60 * samples.Sum(s => (s.Minutes - x) * (of(s) - y)) / samples.Sum(s => (s.Minutes - x) * (s.Minutes - x));
    }

    private void Sample()
    {
        using var process = Process.GetCurrentProcess();
        var handles = Directory.Exists("/proc/self/fd") ? Directory.GetFileSystemEntries("/proc/self/fd").Length : process.HandleCount;
        var sample = new SoakSample(
            _clock.Elapsed.TotalMinutes, Phase, process.WorkingSet64 / 1e6, GC.GetTotalMemory(forceFullCollection: false) / 1e6, handles,
            process.Threads.Count, torch.Tensor.TotalCount);
        lock (_samples)
        {
            _samples.Add(sample);
            File.AppendAllText(_table, string.Create(
                CultureInfo.InvariantCulture,
                $"{sample.Minutes:F2},{sample.Phase},{sample.ResidentMegabytes:F1},{sample.ManagedMegabytes:F1},{sample.Handles},{sample.Threads},"
                    + $"{sample.Tensors}\n"));
        }
    }
}
