using JepaSharp.Masking;
using JepaSharp.Runtime;

namespace JepaSharp.Configuration;

/// <summary>Context and targets on the patch grid. YAML section <c>mask</c>. Paper, section 3, appendix A.1 and table 6.</summary>
public sealed record MaskOptions
{
    /// <summary>Side of a patch in pixels, P. 16.</summary>
    public int PatchSize { get; init; } = 16;

    /// <summary>How context and targets are chosen; a key that the strategy does not read must be left out. Multi-block. Ours.</summary>
    public MaskStrategy Strategy { get; init; } = MaskStrategy.MultiBlock;

    /// <summary>Context blocks per image, Mc. 1.</summary>
    public int NumEncMasks { get; init; } = 1;

    /// <summary>Share of the patches in a context block, before targets are taken out; its aspect ratio is always 1. [0.85, 1.0].</summary>
    public Interval EncMaskScale { get; init; } = new(0.85, 1.0);

    /// <summary>Target blocks per image, Mt; they may overlap one another. 4.</summary>
    public int NumPredMasks { get; init; } = 4;

    /// <summary>Share of the patches in a target block. [0.15, 0.2].</summary>
    public Interval PredMaskScale { get; init; } = new(0.15, 0.2);

    /// <summary>Height over width of a target block, of strategies that have any. [0.75, 1.5].</summary>
    public Interval AspectRatio { get; init; } = new(0.75, 1.5);

    /// <summary>Patches that the context must keep once targets are taken out. 10 (published files).</summary>
    public int MinKeep { get; init; } = 10;

    /// <summary>Context may share patches with targets. False.</summary>
    public bool AllowOverlap { get; init; }

    /// <summary>The paper's distribution, or the published code's with its quirks (docs/faithfulness.md, lines 1 to 4). Paper. Ours.</summary>
    public MaskCompatibility Compatibility { get; init; } = MaskCompatibility.Paper;

    /// <summary>Share of the patches that is target, of the strategies block and random; [0.4, 0.6] is the published random one. [0.6, 0.6] (paper,
    /// table 6). Ours.</summary>
    public Interval TargetShare { get; init; } = new(0.6, 0.6);

    /// <summary>Which quarter of the image is the context of the rasterized strategy. Any. Ours.</summary>
    public ContextQuadrant ContextQuadrant { get; init; } = ContextQuadrant.Any;

    /// <summary>Images whose contexts are cut to one length, a multiple of the batch size; the more, the shorter. Null: those of a batch. Null (128
    /// in the published files, by their batches). Ours.</summary>
    public int? ImagesPerLength { get; init; }

    /// <summary>What is drawn on a patch grid.</summary>
    public MaskingOptions On(PatchGrid grid) => Strategy switch
    {
        MaskStrategy.Rasterized => new RasterizedMaskingOptions { Grid = grid, MinKeep = MinKeep, Context = ContextQuadrant },
        MaskStrategy.Block => new BlockMaskingOptions { Grid = grid, MinKeep = MinKeep, TargetShare = TargetShare, TargetAspect = AspectRatio },
        MaskStrategy.Random =>
            new RandomMaskingOptions { Grid = grid, MinKeep = MinKeep, TargetShare = TargetShare, Compatibility = Compatibility },
        _ => new MultiBlockMaskingOptions
        {
            Grid = grid,
            ContextScale = EncMaskScale,
            TargetScale = PredMaskScale,
            TargetAspect = AspectRatio,
            ContextBlocks = NumEncMasks,
            TargetBlocks = NumPredMasks,
            MinKeep = MinKeep,
            AllowOverlap = AllowOverlap,
            Compatibility = Compatibility,
        },
    };
}
