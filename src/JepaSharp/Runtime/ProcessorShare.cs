using System.Globalization;

namespace JepaSharp.Runtime;

/// <summary>How much of the machine's processors other programs take, from one moment to another.</summary>
internal sealed class ProcessorShare
{
    private readonly (long Busy, long All)? _machine = Machine();
    private readonly TimeSpan _own = Own;

    private static TimeSpan Own => Environment.CpuUsage.TotalTime;

    /// <summary>Others' part of all processors since this was made, 0 to 1; null where the system does not tell, or too little time has gone by to
    /// say.</summary>
    public double? OfOthers
    {
        get
        {
            if (_machine is not { } before || Machine() is not { } now || now.All - before.All < 10) return null;
            var ticks = (Own - _own).TotalSeconds * 100; // of USER_HZ, always 100 in what Linux shows
            return Math.Clamp((now.Busy - before.Busy - ticks) / (now.All - before.All), 0, 1);
        }
    }

    private static (long Busy, long All)? Machine()
    {
        try
        {
            using var stat = new StreamReader("/proc/stat");
            // cpu user nice system idle iowait irq softirq steal ...: guest time is in user already
            var times = (stat.ReadLine() ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(8)
                .Select(t => long.Parse(t, CultureInfo.InvariantCulture)).ToArray();
            return times.Length < 5 ? null : (times.Sum() - times[3] - times[4], times.Sum());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or NotSupportedException)
        {
            return null;
        }
    }
}
