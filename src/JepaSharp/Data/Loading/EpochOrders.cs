namespace JepaSharp.Data.Loading;

/// <summary>The orders of the epochs that batches in flight belong to: made once each, by whichever thread first needs it, and let go when no batch can need it again.</summary>
/// <param name="make">The order of an epoch.</param>
internal sealed class EpochOrders(Func<int, int[]> make)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, int[]> _kept = [];

    /// <summary>The order of an epoch.</summary>
    /// <param name="epoch">From 0.</param>
    /// <param name="oldest">The oldest epoch that any batch in flight may belong to.</param>
    public int[] Of(int epoch, int oldest)
    {
        lock (_gate)
        {
            if (_kept.TryGetValue(epoch, out var order)) return order;
            foreach (var past in _kept.Keys.Where(e => e < oldest).ToList()) _kept.Remove(past);
            return _kept[epoch] = make(epoch);
        }
    }
}
