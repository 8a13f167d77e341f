using JepaSharp.Runtime;

namespace JepaSharp.Masking;

/// <summary>What single-block masks are drawn: one large target block, and everything outside it as context (paper, table 6).</summary>
/// <remarks>
/// The paper states a scale of 0.6, not a range, and no aspect. Of an ideal block both sides are rounded, so that the share varies a little with the
/// aspect: with a range of a single number hardly any block of whole patches has exactly that share.
/// </remarks>
public sealed record BlockMaskingOptions : MaskingOptions
{
    /// <summary>Share of the grid that the target block covers, drawn once a batch (<c>target_share</c>).</summary>
    public Interval TargetShare { get; init; } = new(0.6, 0.6);

    /// <summary>Height over width of the target block, drawn once a batch (<c>aspect_ratio</c>).</summary>
    public Interval TargetAspect { get; init; } = new(0.75, 1.5);

    internal override MaskRemedy Remedy => new([], ["target_share", "min_keep"]);

    internal override IEnumerable<MaskProblem> BadValues()
    {
        foreach (var problem in base.BadValues()) yield return problem;
        if (MaskProblem.OfShare("target_share", TargetShare) is { } share) yield return share;
        if (MaskProblem.OfAspect("aspect_ratio", TargetAspect) is { } aspect) yield return aspect;
    }

    internal override MaskRule Rule() => new BlockRule(this);
}

/// <summary>One block, and what is outside it.</summary>
internal sealed class BlockRule(BlockMaskingOptions options) : MaskRule
{
    private PatchGrid Grid => options.Grid;

    public override int ContextBlocks => 1;

    public override int TargetBlocks => 1;

    public override string? Obstacle()
    {
        var largest = Sizes().MaxBy(size => size.Count);
        var kept = Grid.Count - largest.Count;
        return kept >= options.MinKeep
            ? null
            : $"a target block can be {largest}, which leaves {kept} of {Grid.Count} as context, fewer than min_keep = {options.MinKeep}";
    }

    public override GroupRule DrawGroup(ref RandomStream sizes)
    {
        double share = options.TargetShare.At(sizes.NextDouble()), aspect = options.TargetAspect.At(sizes.NextDouble());
        return new OneBlock(Grid, SizeOf(Patches(share), aspect));
    }

    /// <summary>Every size that can be drawn.</summary>
    internal IEnumerable<BlockSize> Sizes()
    {
        for (var patches = Patches(options.TargetShare.Low); patches <= Patches(options.TargetShare.High); patches++)
        {
            // Between two turns the size is constant: the middles show them all, and the first end is drawn itself.
            var (low, high) = (options.TargetAspect.Low, options.TargetAspect.High);
            double[] places = [low, .. ReferenceBlocks.Turns(patches, low, high).Where(a => a > low && a < high).Order(), high];
            yield return SizeOf(patches, low);
            for (var i = 1; i < places.Length; i++) yield return SizeOf(patches, (places[i - 1] + places[i]) / 2);
        }
    }

    /// <summary>The block of so many patches and an aspect, sides rounded; where the grid is too short for one, the other makes up for it.</summary>
    private BlockSize SizeOf(int patches, double aspect)
    {
        int height = Rounded(Math.Sqrt(patches * aspect)), width = Rounded(Math.Sqrt(patches / aspect));
        if (height > Grid.Height) (height, width) = (Grid.Height, Rounded((double)patches / Grid.Height));
        else if (width > Grid.Width) (height, width) = (Rounded((double)patches / Grid.Width), Grid.Width);
        return new BlockSize(Math.Min(height, Grid.Height), Math.Min(width, Grid.Width));

        static int Rounded(double side) => Math.Max(1, (int)Math.Round(side));
    }

    private int Patches(double share) => RandomRule.PatchesOf(Grid, share);

    private sealed class OneBlock(PatchGrid grid, BlockSize size) : GroupRule(size.Count, grid.Count - size.Count)
    {
        public override void DrawImage(ref RandomStream positions, Span<long> targets, Span<long> context, Span<int> lengths, Span<byte> map)
        {
            var block = size.At(positions.NextInt(grid.Height - size.Height + 1), positions.NextInt(grid.Width - size.Width + 1));
            block.WriteIndices(grid, targets);
            map.Clear();
            block.Mark(grid, map);
            lengths[0] = Outside(map, context);
        }

        private static int Outside(ReadOnlySpan<byte> map, Span<long> context)
        {
            var at = 0;
            for (var patch = 0; patch < map.Length; patch++)
            {
                if (map[patch] == 0) context[at++] = patch;
            }

            return at;
        }
    }
}
