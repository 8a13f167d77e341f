using JepaSharp.Runtime;

namespace JepaSharp.Data.Loading;

/// <summary>The order of the images in an epoch: one shuffle of all, dealt out to the processes in turn, so that their shards are disjoint and equally long.</summary>
internal static class EpochOrder
{
    /// <summary>[count / worldSize] indices of the process's shard.</summary>
    public static int[] Of(int count, ulong seed, int epoch, int rank = 0, int worldSize = 1)
    {
        var all = new int[count];
        for (var i = 0; i < count; i++) all[i] = i;
        var random = new RandomStream(seed, RandomPurpose.Order, epoch);
        random.Shuffle<int>(all);
        if (worldSize == 1) return all;
        var shard = new int[count / worldSize];
        for (var i = 0; i < shard.Length; i++) shard[i] = all[rank + (i * worldSize)];
        return shard;
    }
}
