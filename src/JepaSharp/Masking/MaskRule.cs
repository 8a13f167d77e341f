using JepaSharp.Runtime;

namespace JepaSharp.Masking;

/// <summary>How masks are drawn: what the strategies have in common to <see cref="MaskSampler"/>.</summary>
internal abstract class MaskRule
{
    /// <summary>Mc, context blocks an image.</summary>
    public abstract int ContextBlocks { get; }

    /// <summary>Mt, target blocks an image.</summary>
    public abstract int TargetBlocks { get; }

    /// <summary>
    /// Why the grid has no room for the masks, as the rest of a sentence; null where every draw leaves enough patches, so that drawing always ends.
    /// </summary>
    public abstract string? Obstacle();

    /// <summary>Draws what the images of a batch have in common: their masks are equally long.</summary>
    public abstract GroupRule DrawGroup(ref RandomStream sizes);
}

/// <summary>How the masks of one image are drawn, once it is known what it has in common with the others of its batch.</summary>
/// <param name="targetLength">Kt, patches in each target mask.</param>
/// <param name="contextRoom">Most patches in a context mask.</param>
internal abstract class GroupRule(int targetLength, int contextRoom)
{
    /// <summary>Kt, patches in each target mask.</summary>
    public int TargetLength { get; } = targetLength;

    /// <summary>Most patches in a context mask.</summary>
    public int ContextRoom { get; } = contextRoom;

    /// <summary>Draws one image's masks, all ascending.</summary>
    /// <param name="positions">The image's stream.</param>
    /// <param name="targets">Receives the target indices, [Mt, Kt].</param>
    /// <param name="context">Receives the context indices, [Mc, <see cref="ContextRoom"/>], each mask from the start of its row.</param>
    /// <param name="lengths">Receives the context lengths, [Mc].</param>
    /// <param name="map">Scratch, [N].</param>
    public abstract void DrawImage(ref RandomStream positions, Span<long> targets, Span<long> context, Span<int> lengths, Span<byte> map);

    /// <summary>Cuts a context mask to the batch's length: every subset is equally likely, the order is kept.</summary>
    /// <param name="positions">The image's stream, after <see cref="DrawImage"/>.</param>
    /// <param name="mask">[n], ascending.</param>
    /// <param name="kept">Receives Kc of the n, ascending.</param>
    public virtual void Cut(ref RandomStream positions, ReadOnlySpan<long> mask, Span<long> kept) => Subset.Draw(ref positions, mask, kept);
}

/// <summary>Random subsets.</summary>
internal static class Subset
{
    /// <summary>Selection sampling (Knuth, The Art of Computer Programming 3.4.2, algorithm S): every subset is equally likely, the order is
    /// kept.</summary>
    public static void Draw(ref RandomStream random, ReadOnlySpan<long> all, Span<long> kept)
    {
        var at = 0;
        for (var i = 0; at < kept.Length; i++)
        {
            if (random.NextInt(all.Length - i) < kept.Length - at) kept[at++] = all[i];
        }
    }
}
