using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace JepaSharp.Runtime.Collectives;

/// <summary>One GPU for each rank of a machine.</summary>
public static partial class RankDevices
{
    private const string Visible = "CUDA_VISIBLE_DEVICES";

    /// <summary>
    /// Leaves this process the one GPU that is its own: entry l of <c>CUDA_VISIBLE_DEVICES</c>, or GPU l where that is not set, for the l-th rank of
    /// the machine. It is then <c>cuda:0</c>. Before libtorch is loaded. Nothing where the launcher has left it one or none.
    /// </summary>
    /// <param name="launch">How this process was started; null for alone.</param>
    public static void Apply(Launch? launch)
    {
        if (OperatingSystem.IsWindows() || launch?.LocalRank is not { } local) return;
        if (OneOf(Environment.GetEnvironmentVariable(Visible), local) is not { } own) return;
        Environment.SetEnvironmentVariable(Visible, own);
        _ = SetVariable(Visible, own, 1); // .NET's own setter does not reach native libraries
    }

    /// <summary>Refuses ranks that would compute on different kinds of devices.</summary>
    /// <param name="ranks">All of them.</param>
    /// <param name="device">"cpu" or "cuda", of this rank.</param>
    /// <exception cref="JepaException">They are not alike.</exception>
    public static void RequireAlike(Collective ranks, string device)
    {
        ArgumentNullException.ThrowIfNull(ranks);
        ArgumentNullException.ThrowIfNull(device);
        var kinds = ranks.Gather(Encoding.UTF8.GetBytes(device)).Select(b => Encoding.UTF8.GetString(b)).ToList();
        var other = kinds.FindIndex(kind => kind != kinds[0]);
        if (other < 0) return;
        var without = kinds[0] == "cpu" ? 0 : other;
        throw new JepaException(
            $"{ranks.NameOf(without)} has no GPU of its own, and others have. Start as many processes on each machine as it has GPUs, or give "
                + "--device cpu.", isUsage: true);
    }

    /// <summary>The GPU of a rank, as <c>CUDA_VISIBLE_DEVICES</c> names it; null where it is to stay as it is.</summary>
    internal static string? OneOf(string? visible, int local)
    {
        if (visible is null) return local.ToString(CultureInfo.InvariantCulture);
        var entries = visible.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        // A single one may be the launcher's choice for this process.
        return entries.Length <= 1 ? null : local < entries.Length ? entries[local] : "";
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
