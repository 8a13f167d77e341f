using JepaSharp.Runtime;

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
        var problems = BadValues().Select(problem => problem.ToString()).ToList();
        if (Grid.Count < 1) problems.Add("The patch grid is empty.");
        if (problems.Count == 0 && MaskFeasibility.Problem(this) is { } problem) problems.Add(problem);
        return problems;
    }

    /// <summary>The values that cannot be meant, whatever the grid.</summary>
    internal IEnumerable<MaskProblem> BadValues()
    {
        if (NotFrom1(ContextBlocks)) yield return AtLeast1("num_enc_masks", ContextBlocks);
        if (NotFrom1(TargetBlocks)) yield return AtLeast1("num_pred_masks", TargetBlocks);
        if (NotFrom1(MinKeep)) yield return AtLeast1("min_keep", MinKeep);
        if (NoRange(ContextScale, 1)) yield return Share("enc_mask_scale", ContextScale);
        if (NoRange(TargetScale, 1)) yield return Share("pred_mask_scale", TargetScale);
        if (NoRange(TargetAspect, double.MaxValue)) yield return new("aspect_ratio", $"{TargetAspect}", "[low, high] with low <= high, both above 0");

        static bool NotFrom1(int value) => value < 1;
        static MaskProblem AtLeast1(string option, int value) => new(option, $"{value}", "1 or more");
        static bool NoRange(Interval range, double largest) => !(range.Low > 0 && range.Low <= range.High && range.High <= largest);
        static MaskProblem Share(string option, Interval range) => new(option, $"{range}", "[low, high] with low <= high, both in (0, 1]");
    }
}
