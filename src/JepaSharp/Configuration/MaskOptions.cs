using JepaSharp.Masking;
using JepaSharp.Runtime;

namespace JepaSharp.Configuration;

/// <summary>Multi-block masking: context and target blocks on the patch grid. YAML section <c>mask</c>. Paper, section 3 and appendix A.1.</summary>
public sealed record MaskOptions
{
    /// <summary>Side of a patch in pixels, P. 16.</summary>
    public int PatchSize { get; init; } = 16;

    /// <summary>Context blocks per image, Mc. 1.</summary>
    public int NumEncMasks { get; init; } = 1;

    /// <summary>Share of the patches in a context block, before targets are taken out; its aspect ratio is always 1. [0.85, 1.0].</summary>
    public Interval EncMaskScale { get; init; } = new(0.85, 1.0);

    /// <summary>Target blocks per image, Mt; they may overlap one another. 4.</summary>
    public int NumPredMasks { get; init; } = 4;

    /// <summary>Share of the patches in a target block. [0.15, 0.2].</summary>
    public Interval PredMaskScale { get; init; } = new(0.15, 0.2);

    /// <summary>Height over width of a target block. [0.75, 1.5].</summary>
    public Interval AspectRatio { get; init; } = new(0.75, 1.5);

    /// <summary>Patches that the context must keep once targets are taken out. 10 (published files).</summary>
    public int MinKeep { get; init; } = 10;

    /// <summary>Context may share patches with targets. False.</summary>
    public bool AllowOverlap { get; init; }

    /// <summary>The paper's distribution, or the published code's with its quirks (docs/faithfulness.md, lines 1 to 4). Paper. Ours.</summary>
    public MaskCompatibility Compatibility { get; init; } = MaskCompatibility.Paper;

    /// <summary>What is drawn on a patch grid.</summary>
    public MultiBlockMaskingOptions On(PatchGrid grid) => new()
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
    };
}
