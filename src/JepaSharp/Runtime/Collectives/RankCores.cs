using System.Globalization;
using System.Text;
using static TorchSharp.torch;

namespace JepaSharp.Runtime.Collectives;

/// <summary>How many cores each rank works on: those that its process may use, divided among the ranks of its machine that may use them
/// too.</summary>
/// <remarks>
/// Launchers differ: some bind each process to cores of its own, some to a socket that several share, some not at all. So the ranks tell each other
/// what they may use, and a core that k of them may use counts as a k-th for each.
/// </remarks>
public static class RankCores
{
    private static int? _count;

    /// <summary>Cores that this process works on: all that it may use, unless ranks share them.</summary>
    public static int Count => _count ?? Environment.ProcessorCount;

    /// <summary>Divides the cores, for the rest of the process: libtorch's threads, and those that load images. <c>OMP_NUM_THREADS</c>, where set, is
    /// what libtorch and the kernels use.</summary>
    /// <param name="ranks">All of them.</param>
    public static void Divide(Collective ranks)
    {
        ArgumentNullException.ThrowIfNull(ranks);
        if (ranks.Size == 1) return;
        var said = ranks.Gather(Encoding.UTF8.GetBytes(Allowed() ?? ""));
        var host = ranks.Places[ranks.Rank].Host;
        var masks = Enumerable.Range(0, ranks.Size).Where(r => ranks.Places[r].Host == host).Select(r => CoresIn(Encoding.UTF8.GetString(said[r])))
            .ToList();
        _count = ShareOf(CoresIn(Encoding.UTF8.GetString(said[ranks.Rank])), masks, Environment.ProcessorCount);
        NativeLibtorch.Load();
        if (Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is null) set_num_threads(_count.Value);
    }

    /// <summary>A rank's cores.</summary>
    /// <param name="own">Numbers of the cores that it may use; none where the system does not tell.</param>
    /// <param name="all">The same of all ranks of its machine, its own among them.</param>
    /// <param name="usable">Cores that its process may use, a container's limit counted.</param>
    internal static int ShareOf(IReadOnlySet<int> own, IReadOnlyList<IReadOnlySet<int>> all, int usable)
    {
        var share = own.Count == 0
            ? 1.0 / Math.Max(1, all.Count)
            : own.Sum(core => 1.0 / Math.Max(1, all.Count(mask => mask.Contains(core)))) / own.Count;
        return Math.Max(1, (int)((usable * share) + 1e-6));
    }

    /// <summary>"0-3,8" as numbers.</summary>
    internal static IReadOnlySet<int> CoresIn(string list)
    {
        var cores = new HashSet<int>();
        foreach (var range in list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var ends = range.Split('-');
            if (!int.TryParse(ends[0], CultureInfo.InvariantCulture, out var first)) continue;
            var last = ends.Length > 1 && int.TryParse(ends[1], CultureInfo.InvariantCulture, out var end) ? end : first;
            for (var core = first; core <= last; core++) cores.Add(core);
        }

        return cores;
    }

    private static string? Allowed()
    {
        try
        {
            return File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal))
                ?.Split(':', 2)[1].Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
