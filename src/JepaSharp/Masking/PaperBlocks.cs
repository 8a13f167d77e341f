using JepaSharp.Runtime;

namespace JepaSharp.Masking;

/// <summary>Blocks as the paper states them (section 3 and appendix A.1).</summary>
/// <remarks>
/// Scale s and aspect a are drawn independently and uniformly; the ideal block has sqrt(s N a) rows and sqrt(s N / a) columns, and the nearest
/// size in whole patches is taken among those that keep to the stated ranges (<see cref="AdmissibleSizes"/>). A corner is drawn
/// uniformly over all places where the block fits. Context is its block less every target.
/// <para>
/// Where fewer than min_keep patches of context remain, the image is drawn again; after every 20 failures one target more takes the first
/// target's place. With all targets in one place enough remains by validation, so drawing always ends, and context
/// never shares a patch with a target. At the paper's settings neither happens in practice.
/// </para>
/// </remarks>
internal sealed class PaperBlocks : MultiBlockRule
{
    private const int TriesPerRelaxation = 20;
    private static readonly Interval Square = new(1, 1);

    private readonly BlockSize[] _targetSizes;
    private readonly BlockSize[] _contextSizes;

    public PaperBlocks(MultiBlockMaskingOptions options)
        : base(options)
    {
        _targetSizes = AdmissibleSizes.Of(Grid, options.TargetScale, options.TargetAspect);
        _contextSizes = AdmissibleSizes.Of(Grid, options.ContextScale, Square);
    }

    public override string? Obstacle()
    {
        var targets = AdmissibleSizes.Drawn(_targetSizes, Grid, Options.TargetScale, Options.TargetAspect);
        var contexts = AdmissibleSizes.Drawn(_contextSizes, Grid, Options.ContextScale, Square);
        var (context, target, kept) = (default(BlockSize), default(BlockSize), int.MaxValue);
        foreach (var c in contexts)
        {
            foreach (var t in targets)
            {
                var left = c.Count - (Options.AllowOverlap ? 0 : c.MostShared(t));
                if (left < kept) (context, target, kept) = (c, t, left);
            }
        }

        if (kept >= Options.MinKeep) return null;
        return Options.AllowOverlap
            ? $"a context block can be {context}, fewer than min_keep = {Options.MinKeep}"
            : $"a context block of {context} that lies over a target block of {target} keeps {kept}, fewer than min_keep = {Options.MinKeep}";
    }

    public override BlockSizes DrawSizes(ref RandomStream sizes)
    {
        var target = AdmissibleSizes.Nearest(
            _targetSizes, Grid, Options.TargetScale.At(sizes.NextDouble()), Options.TargetAspect.At(sizes.NextDouble()));
        var context = AdmissibleSizes.Nearest(_contextSizes, Grid, Options.ContextScale.At(sizes.NextDouble()), 1);
        return new BlockSizes(target, context);
    }

    public override void DrawImage(
        ref RandomStream positions, BlockSizes sizes, Span<PatchBlock> targets, Span<long> context, Span<int> lengths, Span<byte> map)
    {
        var tries = 0;
        do
        {
            var apart = Math.Max(1, targets.Length - (tries++ / TriesPerRelaxation));
            map.Clear();
            for (var t = 0; t < targets.Length; t++)
            {
                targets[t] = t < apart ? Place(ref positions, sizes.Target) : targets[0];
                if (!Options.AllowOverlap) targets[t].Mark(Grid, map);
            }
        }
        while (!DrawContext(ref positions, sizes.Context, context, lengths, map));
    }

    public override void Cut(ref RandomStream positions, ReadOnlySpan<long> mask, Span<long> kept) => Subset.Draw(ref positions, mask, kept);

    private bool DrawContext(ref RandomStream positions, BlockSize size, Span<long> context, Span<int> lengths, ReadOnlySpan<byte> map)
    {
        for (var c = 0; c < lengths.Length; c++)
        {
            lengths[c] = Place(ref positions, size).WriteUnmarked(Grid, map, context.Slice(c * size.Count, size.Count));
            if (lengths[c] < Options.MinKeep) return false;
        }

        return true;
    }

    private PatchBlock Place(ref RandomStream positions, BlockSize size)
        => size.At(positions.NextInt(Grid.Height - size.Height + 1), positions.NextInt(Grid.Width - size.Width + 1));
}
