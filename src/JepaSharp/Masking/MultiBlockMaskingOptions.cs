namespace JepaSharp.Masking;

/// <summary>What multi-block masks are drawn: the paper's defaults (section 3, appendix A.1).</summary>
public sealed record MultiBlockMaskingOptions
{
    /// <summary>The patch grid of every image.</summary>
    public required PatchGrid Grid { get; init; }

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

    /// <summary>Fewest patches of context (<c>min_keep</c>). In reference mode context and target masks must hold more than this.</summary>
    public int MinKeep { get; init; } = 10;

    /// <summary>Whether context may hold patches that are also targets (<c>allow_overlap</c>).</summary>
    public bool AllowOverlap { get; init; }

    /// <summary>The paper's masks (default) or the published code's (<c>compatibility</c>).</summary>
    public MaskCompatibility Compatibility { get; init; }

    /// <summary>Everything that is wrong with these options, one full sentence each; empty if they can be sampled from.</summary>
    /// <remarks>Among others a grid too small to leave <see cref="MinKeep"/> patches, with the smallest that would work.</remarks>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        CheckRange(problems, "The context scale (enc_mask_scale)", ContextScale, 1);
        CheckRange(problems, "The target scale (pred_mask_scale)", TargetScale, 1);
        CheckRange(problems, "The target aspect ratio (aspect_ratio)", TargetAspect, double.MaxValue);
        if (ContextBlocks < 1) problems.Add($"num_enc_masks is {ContextBlocks}; expected at least 1.");
        if (TargetBlocks < 1) problems.Add($"num_pred_masks is {TargetBlocks}; expected at least 1.");
        if (MinKeep < 1) problems.Add($"min_keep is {MinKeep}; expected at least 1.");
        if (Grid.Count < 1) problems.Add("The patch grid is empty.");
        if (problems.Count == 0 && !MaskFeasibility.Works(this)) problems.Add(MaskFeasibility.Explain(this));
        return problems;
    }

    private static void CheckRange(List<string> problems, string what, Interval range, double largest)
    {
        if (!(range.Low > 0 && range.Low <= range.High && range.High <= largest))
            problems.Add($"{what} is {range}; expected two ascending numbers above 0{(largest == 1 ? " and at most 1" : "")}.");
    }
}
