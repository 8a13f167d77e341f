namespace JepaSharp.Runtime;

/// <summary>
/// What a random stream is for. Part of its key, so that no two uses ever share numbers. Values are stable: they are part of what a seed means.
/// </summary>
public enum RandomPurpose
{
    /// <summary>Order of the images in an epoch.</summary>
    Order = 1,
    /// <summary>Crop, flip and colour of one image.</summary>
    Augmentation = 2,
    /// <summary>Block sizes shared by a batch.</summary>
    MaskSize = 3,
    /// <summary>Block positions of one image.</summary>
    MaskPosition = 4,
    /// <summary>Initial weights.</summary>
    Initialization = 5,
    /// <summary>Rendered scenes.</summary>
    Scene = 6,
    /// <summary>Held-out splits and drawn subsets.</summary>
    Split = 7,
    /// <summary>Probes and other evaluation.</summary>
    Evaluation = 8,
    /// <summary>What an objective draws for a batch beside crops and I-JEPA's blocks.</summary>
    Objective = 9,
}

/// <summary>A random stream keyed by (seed, purpose, epoch, sample): the same key gives the same numbers on every machine and thread.</summary>
/// <remarks>
/// xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021), seeded by running the key through
/// SplitMix64. A value type: copying it copies its state.
/// </remarks>
public struct RandomStream
{
    private ulong _a, _b, _c, _d;

    /// <summary>Opens the stream of a key.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="purpose">What the numbers are for.</param>
    /// <param name="epoch">Epoch or step, where the use has one.</param>
    /// <param name="sample">Index of the image in the data set, or of the item, where the use has one.</param>
    /// <param name="rank">Process rank in data-parallel training.</param>
    public RandomStream(ulong seed, RandomPurpose purpose, long epoch = 0, long sample = 0, int rank = 0)
    {
        // Every part of the key is mixed in before the next one is added: parts that were summed could stand in for one another.
        var state = Mix(seed + 0x9e3779b97f4a7c15UL);
        state = Mix(state + (ulong)purpose);
        state = Mix(state ^ (ulong)epoch);
        state = Mix(state + 0x632be59bd9b4e019UL + (ulong)sample);
        state = Mix(state ^ ((ulong)(uint)rank << 32));
        _a = Mix(state += 0x9e3779b97f4a7c15UL);
        _b = Mix(state += 0x9e3779b97f4a7c15UL);
        _c = Mix(state += 0x9e3779b97f4a7c15UL);
        _d = Mix(state + 0x9e3779b97f4a7c15UL);
    }

    /// <summary>64 random bits.</summary>
    public ulong NextUInt64()
    {
        var result = ulong.RotateLeft(_b * 5, 7) * 9;
        var shifted = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= shifted;
        _d = ulong.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    public double NextDouble(double low, double high) => low + ((high - low) * NextDouble());

    /// <summary>Uniform integer in [0, <paramref name="exclusiveMaximum"/>), without bias (Lemire, 2019).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The maximum is not positive.</exception>
    public int NextInt(int exclusiveMaximum)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(exclusiveMaximum);
        var range = (uint)exclusiveMaximum;
        var product = (NextUInt64() >> 32) * range;
        if ((uint)product < range)
        {
            var threshold = (uint)-exclusiveMaximum % range;
            while ((uint)product < threshold) product = (NextUInt64() >> 32) * range;
        }

        return (int)(product >> 32);
    }

    /// <summary>Standard normal (Box and Muller, 1958; one of the pair is dropped so that the state stays simple).</summary>
    public double NextGaussian() => Math.Sqrt(-2 * Math.Log(1 - NextDouble())) * Math.Cos(2 * Math.PI * NextDouble());

    /// <summary>Puts <paramref name="items"/> into a uniformly random order (Fisher and Yates).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = NextInt(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
        return z ^ (z >> 31);
    }
}
