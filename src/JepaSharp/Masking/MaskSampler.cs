using JepaSharp.Runtime;

namespace JepaSharp.Masking;

/// <summary>Draws the masks of batches: which patches of each image are context and which are to be predicted.</summary>
/// <remarks>
/// What the images of a batch have in common, such as the sizes of blocks, is drawn once for it, keyed by (seed, step), so that no padding is needed;
/// the rest once an image, keyed by (seed, step, image, rank), so that the order of threads changes nothing. Context masks are then cut to the
/// shortest. Immutable; safe from any number of threads.
/// </remarks>
public sealed class MaskSampler
{
    private readonly MaskRule _rule;

    /// <summary>A sampler for the given options.</summary>
    /// <exception cref="JepaException">The options cannot be sampled from; the message names every problem and what would work.</exception>
    public MaskSampler(MaskingOptions options)
    {
        var problems = options.Problems();
        if (problems.Count > 0) throw new JepaException(string.Join('\n', problems), isUsage: true);
        (Options, _rule) = (options, options.Rule());
    }

    /// <summary>What is drawn.</summary>
    public MaskingOptions Options { get; }

    /// <summary>Draws the masks of a batch.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="step">The training step, which keys what the batch has in common.</param>
    /// <param name="images">What keys each image's masks, [B]: its index in the data set, or its place in the batch.</param>
    /// <param name="rank">Process rank in data-parallel training; sizes are the same on every rank, positions are not.</param>
    /// <returns>Mc x [B, Kc] and Mt x [B, Kt] indices.</returns>
    /// <exception cref="ArgumentException">The batch is empty.</exception>
    public MaskBatch Sample(ulong seed, long step, ReadOnlySpan<long> images, int rank = 0) => Sample(seed, step, images, [], rank);

    /// <summary>Draws the masks of images that others belong to, which are elsewhere: the contexts of all are cut to one length.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="step">What keys what all of them have in common.</param>
    /// <param name="images">What keys each image's masks, [B].</param>
    /// <param name="others">What keys those of the other images; they decide the length with, and nothing of them is returned.</param>
    /// <param name="rank">Process rank in data-parallel training.</param>
    /// <returns>Mc x [B, Kc] and Mt x [B, Kt] indices.</returns>
    /// <exception cref="ArgumentException">The batch is empty.</exception>
    public MaskBatch Sample(ulong seed, long step, ReadOnlySpan<long> images, ReadOnlySpan<long> others, int rank = 0)
    {
        if (images.IsEmpty) throw new ArgumentException("A batch holds at least one image.", nameof(images));
        var sizeStream = new RandomStream(seed, RandomPurpose.MaskSize, step);
        var group = _rule.DrawGroup(ref sizeStream);

        int contexts = _rule.ContextBlocks, room = group.ContextRoom, asked = group.TargetLength;
        var streams = new RandomStream[images.Length];
        var targets = NewMasks(_rule.TargetBlocks, images.Length * asked);
        var drawn = new long[images.Length * contexts * room];
        var lengths = new int[images.Length * contexts];
        var own = new long[targets.Length * asked];
        var map = new byte[Options.Grid.Count];
        for (var image = 0; image < images.Length; image++)
        {
            streams[image] = new RandomStream(seed, RandomPurpose.MaskPosition, step, images[image], rank);
            group.DrawImage(
                ref streams[image], own, drawn.AsSpan(image * contexts * room, contexts * room), lengths.AsSpan(image * contexts, contexts), map);
            for (var t = 0; t < targets.Length; t++) own.AsSpan(t * asked, asked).CopyTo(targets[t].AsSpan(image * asked));
        }

        var shortest = lengths.Min();
        var (scratch, found) = (new long[contexts * room], new int[contexts]);
        foreach (var other in others)
        {
            var stream = new RandomStream(seed, RandomPurpose.MaskPosition, step, other, rank);
            group.DrawImage(ref stream, own, scratch, found, map);
            shortest = Math.Min(shortest, found.Min());
        }

        var context = NewMasks(contexts, images.Length * shortest);
        for (var image = 0; image < images.Length; image++)
        {
            for (var c = 0; c < contexts; c++)
            {
                var mask = (image * contexts) + c;
                group.Cut(ref streams[image], drawn.AsSpan(mask * room, lengths[mask]), context[c].AsSpan(image * shortest, shortest));
            }
        }

        return new MaskBatch(Options.Grid, images.Length, context, targets);
    }

    /// <summary>Draws the masks of a batch whose images are keyed by their place in it, 0 to B - 1.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="step">The training step.</param>
    /// <param name="batch">B, at least 1.</param>
    /// <param name="rank">Process rank in data-parallel training.</param>
    /// <returns>Mc x [B, Kc] and Mt x [B, Kt] indices.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The batch is empty.</exception>
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
