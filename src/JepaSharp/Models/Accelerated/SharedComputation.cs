using JepaSharp.Kernels;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>One way to compute for all ranks: the first measures, and the others do as it does, so that all get the same bits.</summary>
public static class SharedComputation
{
    /// <summary>The first rank's choice.</summary>
    /// <param name="ranks">All of them.</param>
    /// <param name="device">Where this one computes.</param>
    /// <param name="choose">Chooses, on the first; on others it is not asked.</param>
    /// <exception cref="JepaException">This machine cannot compute so.</exception>
    public static ComputationChoice Of(Collective ranks, Device device, Func<ComputationChoice> choose)
    {
        ArgumentNullException.ThrowIfNull(ranks);
        ArgumentNullException.ThrowIfNull(choose);
        if (!ranks.IsFirst) return Here(ranks, device, ranks.Share((string?)null));
        var chosen = choose();
        _ = ranks.Share(chosen.Computation.Key);
        return chosen;
    }

    /// <summary>A computation that the first rank named.</summary>
    /// <exception cref="JepaException">This machine cannot compute so.</exception>
    internal static ComputationChoice Here(Collective ranks, Device device, string key)
    {
        var computation = Computation.Of(key)!.Value;
        if (device.type == DeviceType.CPU && !Computation.OnCpu.Contains(computation))
            throw new JepaException(
                $"This processor cannot compute in {computation.Words}, as rank 0 on {ranks.Places[0].Host} does. Choose what all can: --precision "
                    + $"fp32, or {KernelSupport.Variable}=off on all.", isUsage: true);
        return new ComputationChoice(computation, "as rank 0", []);
    }
}
