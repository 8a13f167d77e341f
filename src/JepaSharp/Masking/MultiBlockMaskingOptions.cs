using JepaSharp.Runtime;

namespace JepaSharp.Masking;

/// <summary>What multi-block masks are drawn: the paper's defaults (section 3, appendix A.1).</summary>
public sealed record MultiBlockMaskingOptions : MaskingOptions
{
    /// <summary>Share of the grid that a context block covers, before targets are taken out (<c>enc_mask_scale</c>).</summary>
    public Interval ContextScale { get; init; } = new(0.85, 1.0);

    /// <summary>Share of the grid that a target block covers (<c>pred_mask_scale</c>).</summary>
    public Interval TargetScale { get; init; } = new(0.15, 0.2);

    /// <summary>Height over width of a target block (<c>aspect_ratio</c>); context blocks are square.</summary>
    public Interval TargetAspect { get; init; } = new(0.75, 1.5);

    /// <summary>Mc, context blocks an image (<c>num_enc_masks</c>).</summary>
    public int ContextBlocks { get; init; } = 1;

    /// <summary>Mt, target blocks an image (<c>num_pred_masks</c>).</summary>
    public int TargetBlocks { get; init; } = 4;

    /// <summary>Whether context may hold patches that are also targets (<c>allow_overlap</c>).</summary>
    public bool AllowOverlap { get; init; }

    /// <summary>The paper's masks (default) or the published code's (<c>compatibility</c>).</summary>
    public MaskCompatibility Compatibility { get; init; }

    internal override MaskRemedy Remedy => new(["enc_mask_scale"], ["pred_mask_scale", "min_keep"]);

    internal override IEnumerable<MaskProblem> BadValues()
    {
        if (ContextBlocks < 1) yield return MaskProblem.AtLeast1("num_enc_masks", ContextBlocks);
        if (TargetBlocks < 1) yield return MaskProblem.AtLeast1("num_pred_masks", TargetBlocks);
        foreach (var problem in base.BadValues()) yield return problem;
        if (MaskProblem.OfShare("enc_mask_scale", ContextScale) is { } context) yield return context;
        if (MaskProblem.OfShare("pred_mask_scale", TargetScale) is { } target) yield return target;
        if (MaskProblem.OfAspect("aspect_ratio", TargetAspect) is { } aspect) yield return aspect;
    }

    internal override MaskRule Rule() => MultiBlockRule.Of(this);
}

/// <summary>Whose masks are drawn where the paper and the published code differ.</summary>
public enum MaskCompatibility
{
    /// <summary>The distribution that the paper states (section 3 and appendix A.1).</summary>
    Paper,

    /// <summary>
    /// The published code's. Of several blocks: the last row and column of patches are in no block, a block is smaller than the grid, one random
    /// number sets both scale and aspect, and a batch is cut to its shortest mask by dropping the highest indices. Of random patches: the context is
    /// rounded down, not the target.
    /// </summary>
    Reference,
}

/// <summary>How blocks are drawn: what the paper's and the published code's masks have in common to a sampler.</summary>
internal abstract class MultiBlockRule(MultiBlockMaskingOptions options) : MaskRule
{
    public override int ContextBlocks => Options.ContextBlocks;

    public override int TargetBlocks => Options.TargetBlocks;

    protected MultiBlockMaskingOptions Options { get; } = options;

    protected PatchGrid Grid => Options.Grid;

    public static MultiBlockRule Of(MultiBlockMaskingOptions options)
        => options.Compatibility == MaskCompatibility.Reference ? new ReferenceBlocks(options) : new PaperBlocks(options);

    public override GroupRule DrawGroup(ref RandomStream sizes) => new BlockGroup(this, DrawSizes(ref sizes));

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

    /// <summary>Blocks of sizes that are drawn.</summary>
    private sealed class BlockGroup(MultiBlockRule rule, BlockSizes sizes) : GroupRule(sizes.Target.Count, sizes.Context.Count)
    {
        private readonly PatchBlock[] _blocks = new PatchBlock[rule.TargetBlocks];

        public override void DrawImage(ref RandomStream positions, Span<long> targets, Span<long> context, Span<int> lengths, Span<byte> map)
        {
            rule.DrawImage(ref positions, sizes, _blocks, context, lengths, map);
            for (var t = 0; t < _blocks.Length; t++) _blocks[t].WriteIndices(rule.Grid, targets.Slice(t * TargetLength, TargetLength));
        }

        public override void Cut(ref RandomStream positions, ReadOnlySpan<long> mask, Span<long> kept) => rule.Cut(ref positions, mask, kept);
    }
}
