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
    private static readonly Interval Square = new(1, 1);

    public override string? Obstacle()
    {
        var context = Sizes(Options.ContextScale, Square).MinBy(size => size.Count);
        var target = Sizes(Options.TargetScale, Options.TargetAspect).MinBy(size => size.Count);
        var tooFew = $"not more than min_keep = {Options.MinKeep}, as the published code wants";
        return context.Count <= Options.MinKeep ? $"a context block can be {context}, {tooFew}"
            : target.Count <= Options.MinKeep ? $"a target block can be {target}, {tooFew}"
            : null;
    }

    public override BlockSizes DrawSizes(ref RandomStream sizes)
    {
        double target = sizes.NextDouble(), context = sizes.NextDouble();
        return new BlockSizes(Size(Options.TargetScale.At(target), Options.TargetAspect.At(target)), Size(Options.ContextScale.At(context), 1));
    }

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

    /// <summary>Every size, as the random number goes from 0 to 1.</summary>
    /// <remarks>
    /// The number of patches p changes where N times the scale passes a whole number; with p fixed, a side changes where the aspect passes
    /// (k + 1/2)^2 / p or p / (k + 1/2)^2. Between two such places the size is constant, so the middles show them all.
    /// </remarks>
    private IEnumerable<BlockSize> Sizes(Interval scale, Interval aspect)
    {
        int first = (int)(Grid.Count * scale.Low), last = (int)(Grid.Count * scale.High);
        for (var patches = first; patches <= last; patches++)
        {
            var from = patches == first ? 0 : scale.FractionOf((double)patches / Grid.Count);
            var to = patches == last ? 1 : scale.FractionOf((patches + 1.0) / Grid.Count);
            var places = new List<double> { from, to };
            foreach (var place in Turns(patches, aspect.At(from), aspect.At(to)).Select(aspect.FractionOf))
            {
                if (place > from && place < to) places.Add(place);
            }

            places.Sort();
            for (var i = 1; i < places.Count; i++)
            {
                var middle = (places[i - 1] + places[i]) / 2;
                yield return Size(scale.At(middle), aspect.At(middle));
            }
        }
    }

    /// <summary>Aspects between two at which a block of so many patches changes its height or its width.</summary>
    internal static IEnumerable<double> Turns(int patches, double low, double high)
    {
        if (patches == 0) yield break;
        for (var half = Half(patches * low); half * half <= patches * high; half++) yield return half * half / patches;
        for (var half = Half(patches / high); half * half <= patches / low; half++) yield return patches / (half * half);

        static double Half(double square) => Math.Floor(Math.Sqrt(square)) + 0.5;
    }

    /// <summary>The block of a scale and an aspect.</summary>
    internal BlockSize Size(double scale, double aspect)
    {
        var patches = (int)(Grid.Count * scale);
        return new BlockSize(
            Math.Min((int)Math.Round(Math.Sqrt(patches * aspect)), Grid.Height - 1),
            Math.Min((int)Math.Round(Math.Sqrt(patches / aspect)), Grid.Width - 1));
    }

    private PatchBlock Place(ref RandomStream positions, BlockSize size)
        => size.At(positions.NextInt(Grid.Height - size.Height), positions.NextInt(Grid.Width - size.Width));
}
