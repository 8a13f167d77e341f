namespace JepaSharp.Masking;

/// <summary>MAE's masks of a batch: of every image the same number of patches is kept, each image's its own, drawn by sorting noise.</summary>
/// <remarks>
/// He et al., CVPR 2022, section 3 ("Simple implementation"): patches are put in the order of a uniform random number each, and the first
/// K = floor(N (1 - ratio)) of them are kept. The product is taken in 64 bits, as published: of 100 patches at 0.9 there are 9 left, not 10.
/// B images, N patches, K kept.
/// </remarks>
public sealed class RandomPatches
{
    private readonly long[] _order;

    private RandomPatches(int images, int patches, int kept, long[] order) => (Images, Patches, Kept, _order) = (images, patches, kept, order);

    /// <summary>B.</summary>
    public int Images { get; }

    /// <summary>N.</summary>
    public int Patches { get; }

    /// <summary>K.</summary>
    public int Kept { get; }

    /// <summary>How many of an image's patches are kept.</summary>
    /// <param name="patches">N.</param>
    /// <param name="ratio">Share that is removed, in (0, 1).</param>
    public static int KeptOf(int patches, double ratio) => (int)(patches * (1 - ratio));

    /// <summary>Masks from noise.</summary>
    /// <param name="noise">[B, N], row-major; of equal numbers the earlier patch comes first.</param>
    /// <param name="patches">N.</param>
    /// <param name="ratio">Share that is removed, in (0, 1).</param>
    /// <exception cref="ArgumentException">The noise is not whole images, or nothing would be kept, or nothing removed.</exception>
    public static RandomPatches FromNoise(ReadOnlySpan<double> noise, int patches, double ratio)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(patches);
        if (noise.Length == 0 || noise.Length % patches != 0)
            throw new ArgumentException($"{noise.Length} random numbers for images of {patches} patches: expected one a patch.", nameof(noise));
        var kept = KeptOf(patches, ratio);
        if (kept < 1 || kept >= patches)
            throw new ArgumentException(
                $"A share of {ratio} keeps {kept} of {patches} patches: expected at least one kept and one removed.", nameof(ratio));
        var order = new long[noise.Length];
        for (var start = 0; start < noise.Length; start += patches)
        {
            var own = noise.Slice(start, patches).ToArray();
            long[] sorted = [.. Enumerable.Range(0, patches).OrderBy(patch => own[patch]).Select(patch => (long)patch)];
            sorted.CopyTo(order, start);
        }

        return new RandomPatches(noise.Length / patches, patches, kept, order);
    }

    /// <summary>[B, K] row-major: the patches that the encoder sees, in the order of their noise.</summary>
    public long[] KeptPatches() => Part(0, Kept);

    /// <summary>[B, N - K] row-major: the patches to guess, in the order of their noise.</summary>
    public long[] RemovedPatches() => Part(Kept, Patches - Kept);

    /// <summary>[B, N] row-major: the place of each patch in the order of noise (the published code's <c>ids_restore</c>).</summary>
    public long[] Places()
    {
        var places = new long[_order.Length];
        for (var i = 0; i < _order.Length; i++) places[(i / Patches * Patches) + _order[i]] = i % Patches;
        return places;
    }

    /// <summary>[B, N] row-major in image order: whether a patch is removed.</summary>
    public bool[] Removed() => Array.ConvertAll(Places(), place => place >= Kept);

    /// <summary>The same as one context and one target of each image, in image order: for pictures.</summary>
    /// <param name="grid">The grid of N patches.</param>
    public MaskBatch ToBlocks(PatchGrid grid)
    {
        return new MaskBatch(grid, Images, [Ascending(KeptPatches(), Kept)], [Ascending(RemovedPatches(), Patches - Kept)]);

        static long[] Ascending(long[] sets, int each)
        {
            for (var start = 0; start < sets.Length; start += each) Array.Sort(sets, start, each);
            return sets;
        }
    }

    private long[] Part(int first, int count)
    {
        var part = new long[Images * count];
        for (var image = 0; image < Images; image++) _order.AsSpan((image * Patches) + first, count).CopyTo(part.AsSpan(image * count));
        return part;
    }
}
