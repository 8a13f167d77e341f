using JepaSharp.Runtime;

namespace JepaSharp.Masking;

/// <summary>How blocks are drawn: what the paper's and the published code's masks have in common to a sampler.</summary>
internal abstract class MultiBlockRule(MultiBlockMaskingOptions options)
{
    protected MultiBlockMaskingOptions Options { get; } = options;

    protected PatchGrid Grid => Options.Grid;

    public static MultiBlockRule Of(MultiBlockMaskingOptions options)
        => options.Compatibility == MaskCompatibility.Reference ? new ReferenceBlocks(options) : new PaperBlocks(options);

    /// <summary>
    /// Sizes that can be drawn and leave too few patches, in words; null where every size leaves enough, so that drawing always ends.
    /// </summary>
    public abstract string? Obstacle();

    /// <summary>Draws the sizes of a batch's blocks.</summary>
    public abstract BlockSizes DrawSizes(ref RandomStream sizes);

    /// <summary>Draws one image's blocks.</summary>
    /// <param name="positions">The image's stream.</param>
    /// <param name="sizes">The batch's sizes.</param>
    /// <param name="targets">Receives the target blocks, [Mt].</param>
    /// <param name="context">Receives the context indices, [Mc, context block size], each mask from the start of its row.</param>
    /// <param name="lengths">Receives the context lengths, [Mc].</param>
    /// <param name="map">Scratch, [N].</param>
    public abstract void DrawImage(
        ref RandomStream positions, BlockSizes sizes, Span<PatchBlock> targets, Span<long> context, Span<int> lengths, Span<byte> map);

    /// <summary>Cuts a context mask to the batch's length.</summary>
    /// <param name="positions">The image's stream, after <see cref="DrawImage"/>.</param>
    /// <param name="mask">[n], ascending.</param>
    /// <param name="kept">Receives Kc of the n, ascending.</param>
    public abstract void Cut(ref RandomStream positions, ReadOnlySpan<long> mask, Span<long> kept);
}
