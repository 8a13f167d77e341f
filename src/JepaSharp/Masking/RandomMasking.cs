using JepaSharp.Runtime;

namespace JepaSharp.Masking;

/// <summary>What random masks are drawn: a target of patches drawn one by one, and all others as context (paper, table 6).</summary>
/// <remarks>The paper states 0.6. The published code draws the share once a batch from [0.4, 0.6].</remarks>
public sealed record RandomMaskingOptions : MaskingOptions
{
    /// <summary>Share of the grid that is target, drawn once a batch (<c>target_share</c>).</summary>
    public Interval TargetShare { get; init; } = new(0.6, 0.6);

    /// <summary>Which of the two is rounded down to whole patches (<c>compatibility</c>): the target, or, as the published code has it, the
    /// context.</summary>
    public MaskCompatibility Compatibility { get; init; }

    internal override MaskRemedy Remedy => new([], ["target_share", "min_keep"]);

    internal override IEnumerable<MaskProblem> BadValues()
    {
        foreach (var problem in base.BadValues()) yield return problem;
        if (MaskProblem.OfShare("target_share", TargetShare) is { } share) yield return share;
    }

    internal override MaskRule Rule() => new RandomRule(this);
}

/// <summary>Patches one by one.</summary>
internal sealed class RandomRule(RandomMaskingOptions options) : MaskRule
{
    private const double Rounding = 1e-9;

    public override int ContextBlocks => 1;

    public override int TargetBlocks => 1;

    /// <summary>Whole patches in a share of a grid, at least one; 0.29 of 100 is 29, whatever binary makes of it.</summary>
    public static int PatchesOf(PatchGrid grid, double share) => Math.Clamp((int)((grid.Count * share) + Rounding), 1, grid.Count);

    public override string? Obstacle()
    {
        var targets = Targets(options.TargetShare.High);
        var kept = options.Grid.Count - targets;
        return kept >= options.MinKeep
            ? null
            : $"a target can be {targets} of {options.Grid.Count} patches, which leaves {kept} as context, fewer than min_keep = {options.MinKeep}";
    }

    public override GroupRule DrawGroup(ref RandomStream sizes) =>
        new Scattered(options.Grid.Count, Targets(options.TargetShare.At(sizes.NextDouble())));

    private int Targets(double share) => options.Compatibility == MaskCompatibility.Reference
        ? Math.Max(1, options.Grid.Count - (int)(options.Grid.Count * (1 - share)))
        : PatchesOf(options.Grid, share);

    private sealed class Scattered(int patches, int targetLength) : GroupRule(targetLength, patches - targetLength)
    {
        public override void DrawImage(ref RandomStream positions, Span<long> targets, Span<long> context, Span<int> lengths, Span<byte> map)
        {
            var (target, other) = (0, 0);
            for (var patch = 0; patch < patches; patch++)
            {
                // Selection sampling, as in Subset: what is not selected is context.
                if (positions.NextInt(patches - patch) < TargetLength - target) targets[target++] = patch;
                else context[other++] = patch;
            }

            lengths[0] = other;
        }
    }
}
