using JepaSharp.Runtime;

namespace JepaSharp.Masking;

/// <summary>Blocks as the published code draws them, its departures from the paper included.</summary>
/// <remarks>
/// One random number sets both scale and aspect; a block is at least one patch smaller than the grid each way; a corner comes from
/// [0, H - h) and [0, W - w), so that the last row and column are in no block. Context must keep more than min_keep patches: after 20 failures
/// in a row the last remaining target no longer restricts it. A batch is cut by keeping the lowest indices. The numbers themselves
/// cannot be repeated (they come from another generator); their distribution is.
/// </remarks>
internal sealed class ReferenceBlocks(MultiBlockMaskingOptions options) : MultiBlockRule(options)
{
    private const int TriesPerRelaxation = 20;

    public override bool AlwaysEnds()
    {
        if (Grid.Height < 2 || Grid.Width < 2) return false;
        const int Steps = 1 << 12;
        for (var i = 0; i <= Steps; i++)
        {
            var random = (double)i / Steps;
            if (TargetSize(random).Count <= Options.MinKeep || ContextSize(random).Count <= Options.MinKeep) return false;
        }

        return true;
    }

    public override BlockSizes DrawSizes(ref RandomStream sizes) => new(TargetSize(sizes.NextDouble()), ContextSize(sizes.NextDouble()));

    public override void DrawImage(
        ref RandomStream positions, BlockSizes sizes, Span<PatchBlock> targets, Span<long> context, Span<int> lengths, Span<byte> map)
    {
        foreach (ref var target in targets) target = Place(ref positions, sizes.Target);
        for (var c = 0; c < lengths.Length; c++)
        {
            var mask = context.Slice(c * sizes.Context.Count, sizes.Context.Count);
            var tries = 0;
            do
            {
                var obeyed = Options.AllowOverlap ? 0 : Math.Max(0, targets.Length - (tries / TriesPerRelaxation));
                if (tries++ % TriesPerRelaxation == 0)
                {
                    map.Clear();
                    foreach (var target in targets[..obeyed]) target.Mark(Grid, map);
                }

                lengths[c] = Place(ref positions, sizes.Context).WriteUnmarked(Grid, map, mask);
            }
            while (lengths[c] <= Options.MinKeep && tries <= TriesPerRelaxation * targets.Length);
        }
    }

    public override void Cut(ref RandomStream positions, ReadOnlySpan<long> mask, Span<long> kept) => mask[..kept.Length].CopyTo(kept);

    private BlockSize TargetSize(double random) => Size(Options.TargetScale.At(random), Options.TargetAspect.At(random));

    private BlockSize ContextSize(double random) => Size(Options.ContextScale.At(random), 1);

    private BlockSize Size(double scale, double aspect)
    {
        var patches = (int)(Grid.Count * scale);
        return new BlockSize(
            Math.Min((int)Math.Round(Math.Sqrt(patches * aspect)), Grid.Height - 1),
            Math.Min((int)Math.Round(Math.Sqrt(patches / aspect)), Grid.Width - 1));
    }

    private PatchBlock Place(ref RandomStream positions, BlockSize size)
        => size.At(positions.NextInt(Grid.Height - size.Height), positions.NextInt(Grid.Width - size.Width));
}
