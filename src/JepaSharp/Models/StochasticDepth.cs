using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Stochastic depth (drop path): in training each branch of each block is left out for some samples, drawn anew for every pass, until
/// disposed.</summary>
/// <remarks>
/// Huang et al., "Deep networks with stochastic depth", ECCV 2016, as published Vision Transformers have it: the chance of being left out rises
/// linearly from 0 in the first block to the rate in the last, and what stays is divided by the chance of staying. Nothing is left out where no
/// gradients are wanted. See <see cref="VisionTransformer.DropPaths"/>.
/// </remarks>
public sealed class StochasticDepth : IDisposable
{
    private readonly BlockStack _blocks;
    private readonly double _rate;
    private RandomStream _random;

    internal StochasticDepth(BlockStack blocks, double rate, RandomStream random)
    {
        if (rate is not (>= 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(rate), rate, "A rate of stochastic depth is in [0, 1).");
        (_blocks, _rate, _random) = (blocks, rate, random);
        if (rate > 0) blocks.Depth = this;
    }

    /// <summary>Everything is kept again.</summary>
    public void Dispose()
    {
        if (_blocks.Depth == this) _blocks.Depth = null;
    }

    /// <summary>What both branches of every block are multiplied by in one pass: 0, or 1 over the chance of staying. float32 [L, 2, S, 1, 1], block
    /// by block, the attention's first.</summary>
    /// <param name="blocks">L.</param>
    /// <param name="sequences">S.</param>
    /// <param name="device">Where to.</param>
    internal Tensor Draw(int blocks, int sequences, Device device) => tensor(Draw(blocks, sequences), [blocks, 2, sequences, 1, 1], device: device);

    /// <summary>The same on the host: [L, 2, S].</summary>
    internal float[] Draw(int blocks, int sequences)
    {
        var factors = new float[blocks * 2 * sequences];
        for (var i = 0; i < factors.Length; i++)
        {
            var block = i / (2 * sequences);
            var keep = 1 - (blocks == 1 ? 0 : _rate * block / (blocks - 1));
            factors[i] = _random.NextDouble() < keep ? (float)(1 / keep) : 0;
        }

        return factors;
    }
}
