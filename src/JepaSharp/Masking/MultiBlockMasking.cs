using JepaSharp.Runtime;

namespace JepaSharp.Masking;

/// <summary>Draws multi-block masks: a few target blocks an image, and a large context block without them (paper, section 3).</summary>
/// <remarks>
/// Block sizes are drawn once a batch, keyed by (seed, step), so that no padding is needed; positions once an image, keyed by (seed, step, image,
/// rank), so that the order of threads changes nothing. Context masks are then cut to the batch's shortest. Immutable; safe from any
/// number of threads.
/// </remarks>
public sealed class MultiBlockMasking
{
    private readonly MultiBlockRule _rule;

    /// <summary>A sampler for the given options.</summary>
    /// <exception cref="JepaException">The options cannot be sampled from; the message names every problem and what would work.</exception>
    public MultiBlockMasking(MultiBlockMaskingOptions options)
    {
        var problems = options.Problems();
        if (problems.Count > 0) throw new JepaException(string.Join('\n', problems), isUsage: true);
        (Options, _rule) = (options, MultiBlockRule.Of(options));
    }

    /// <summary>What is drawn.</summary>
    public MultiBlockMaskingOptions Options { get; }

    /// <summary>Draws the masks of a batch.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="step">The training step, which keys the block sizes.</param>
    /// <param name="images">What keys each image's positions, [B]: its index in the data set, or its place in the batch.</param>
    /// <param name="rank">Process rank in data-parallel training; sizes are the same on every rank, positions are not.</param>
    /// <returns>Mc x [B, Kc] and Mt x [B, Kt] indices.</returns>
    /// <exception cref="ArgumentException">The batch is empty.</exception>
    public MaskBatch Sample(ulong seed, long step, ReadOnlySpan<long> images, int rank = 0)
    {
        if (images.IsEmpty) throw new ArgumentException("A batch holds at least one image.", nameof(images));
        var sizeStream = new RandomStream(seed, RandomPurpose.MaskSize, step);
        var sizes = _rule.DrawSizes(ref sizeStream);

        int contexts = Options.ContextBlocks, room = sizes.Context.Count;
        var streams = new RandomStream[images.Length];
        var targets = NewMasks(Options.TargetBlocks, images.Length * sizes.Target.Count);
        var drawn = new long[images.Length * contexts * room];
        var lengths = new int[images.Length * contexts];
        var blocks = new PatchBlock[Options.TargetBlocks];
        var map = new byte[Options.Grid.Count];
        for (var image = 0; image < images.Length; image++)
        {
            streams[image] = new RandomStream(seed, RandomPurpose.MaskPosition, step, images[image], rank);
            _rule.DrawImage(
                ref streams[image],
                sizes,
                blocks,
                drawn.AsSpan(image * contexts * room, contexts * room),
                lengths.AsSpan(image * contexts, contexts),
                map);
            for (var t = 0; t < blocks.Length; t++)
                blocks[t].WriteIndices(Options.Grid, targets[t].AsSpan(image * sizes.Target.Count, sizes.Target.Count));
        }

        var shortest = lengths[0];
        foreach (var length in lengths) shortest = Math.Min(shortest, length);
        var context = NewMasks(contexts, images.Length * shortest);
        for (var image = 0; image < images.Length; image++)
        {
            for (var c = 0; c < contexts; c++)
            {
                var mask = (image * contexts) + c;
                _rule.Cut(ref streams[image], drawn.AsSpan(mask * room, lengths[mask]), context[c].AsSpan(image * shortest, shortest));
            }
        }

        return new MaskBatch(Options.Grid, images.Length, context, targets);
    }

    /// <summary>Draws the masks of a batch whose images are keyed by their place in it, 0 to B - 1.</summary>
    /// <inheritdoc cref="Sample(ulong, long, ReadOnlySpan{long}, int)"/>
    /// <param name="seed">The run's seed.</param>
    /// <param name="step">The training step.</param>
    /// <param name="batch">B, at least 1.</param>
    /// <param name="rank">Process rank in data-parallel training.</param>
    public MaskBatch Sample(ulong seed, long step, int batch, int rank = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        var places = new long[batch];
        for (var i = 0; i < batch; i++) places[i] = i;
        return Sample(seed, step, places, rank);
    }

    private static long[][] NewMasks(int count, int length)
    {
        var masks = new long[count][];
        for (var i = 0; i < count; i++) masks[i] = new long[length];
        return masks;
    }
}
