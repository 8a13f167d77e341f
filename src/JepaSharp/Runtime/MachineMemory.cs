using System.Globalization;

namespace JepaSharp.Runtime;

/// <summary>Memory that this process may count on: the machine's, or less where its control group is limited.</summary>
/// <param name="TotalBytes">The machine's memory or the control group's limit, whichever is smaller.</param>
/// <param name="AvailableBytes">What can still be had without swapping.</param>
/// <param name="IsLimited">Whether a control group, and not the machine, sets the total.</param>
public sealed record MachineMemory(long TotalBytes, long AvailableBytes, bool IsLimited)
{
    /// <summary>Asks the system.</summary>
    public static MachineMemory Detect()
    {
        if (OperatingSystem.IsLinux() && ReadMemInfo() is { } machine)
            return WithLimits(machine, LimitsOf("/sys/fs/cgroup", ReadOrEmpty("/proc/self/cgroup")));
        var managed = GC.GetGCMemoryInfo();
        if (OperatingSystem.IsWindows() && WindowsMachine.Memory() is { } windows)
            return WithLimits(windows, [(managed.TotalAvailableMemoryBytes, Environment.WorkingSet)]); // less than there is in a job with a limit
        return new MachineMemory(managed.TotalAvailableMemoryBytes, Math.Max(managed.TotalAvailableMemoryBytes - managed.MemoryLoadBytes, 0), false);
    }

    /// <summary>The tightest of the machine and of each (limit, used) pair.</summary>
    internal static MachineMemory WithLimits(MachineMemory machine, IEnumerable<(long Limit, long Used)> limits) =>
        limits.Aggregate(machine, (m, l) => l.Limit < m.TotalBytes || l.Limit - l.Used < m.AvailableBytes
            ? new MachineMemory(
                Math.Min(m.TotalBytes, l.Limit), Math.Clamp(l.Limit - l.Used, 0, m.AvailableBytes), m.IsLimited || l.Limit < m.TotalBytes)
            : m);

    /// <summary>Limit and use of every control group from the process's own up to the root, for both versions of control groups.</summary>
    internal static IEnumerable<(long Limit, long Used)> LimitsOf(string root, string groups)
    {
        foreach (var line in groups.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = line.Split(':', 3);
            if (parts.Length < 3) continue;
            var isV2 = parts[0] == "0" && parts[1].Length == 0;
            if (!isV2 && !parts[1].Split(',').Contains("memory")) continue;
            var (top, limit, used, cached) = isV2
                ? (root, "memory.max", "memory.current", "inactive_file ")
                : (Path.Combine(root, "memory"), "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file ");
            // In a container the path may be the host's and not exist here; its ancestors then end at the group that does.
            for (var group = parts[2].Trim('/'); ; group = Path.GetDirectoryName(group) ?? "")
            {
                var folder = Path.Combine(top, group);
                if (Number(Path.Combine(folder, limit)) is { } bytes && Number(Path.Combine(folder, used)) is { } current)
                {
                    var lines = ReadOrEmpty(Path.Combine(folder, "memory.stat")).Split('\n');
                    var inactive = lines.FirstOrDefault(l => l.StartsWith(cached, StringComparison.Ordinal)) is { } reclaimable
                        ? long.Parse(reclaimable.AsSpan(cached.Length), NumberStyles.Integer, CultureInfo.InvariantCulture)
                        : 0;
                    yield return (bytes, Math.Max(current - inactive, 0));
                }

                if (group.Length == 0) break;
            }
        }
    }

    private static MachineMemory? ReadMemInfo()
    {
        var lines = ReadOrEmpty("/proc/meminfo").Split('\n');
        return Kilobytes("MemTotal:") is { } total ? new MachineMemory(total << 10, (Kilobytes("MemAvailable:") ?? 0) << 10, false) : null;

        long? Kilobytes(string name) => lines.FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal)) is { } line
            && long.TryParse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), out var value) ? value : null;
    }

    private static long? Number(string path) => long.TryParse(ReadOrEmpty(path).Trim(), out var value) ? value : null;

    private static string ReadOrEmpty(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path) : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
