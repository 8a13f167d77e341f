using JepaSharp.Runtime;

namespace JepaSharp.Masking;

/// <summary>Numbers that a mask is drawn with, one after the other.</summary>
public abstract class MaskDraws
{
    /// <summary>Uniform between two numbers, in whichever order they are.</summary>
    /// <param name="from">One.</param>
    /// <param name="to">The other.</param>
    public abstract double Uniform(double from, double to);

    /// <summary>Uniform among whole numbers, both ends included.</summary>
    /// <param name="least">The smallest.</param>
    /// <param name="most">The largest.</param>
    public abstract int Integer(int least, int most);

    /// <summary>Patches in random order; the first are hidden.</summary>
    /// <param name="patches">In order, to be shuffled.</param>
    public abstract void Shuffle(Span<int> patches);

    /// <summary>Draws of a keyed stream.</summary>
    /// <param name="stream">Where the numbers come from.</param>
    public static MaskDraws Of(RandomStream stream) => new Keyed(stream);

    private sealed class Keyed(RandomStream stream) : MaskDraws
    {
        private RandomStream _stream = stream;

        public override double Uniform(double from, double to) => _stream.NextDouble(from, to);

        public override int Integer(int least, int most) => least + _stream.NextInt(most - least + 1);

        public override void Shuffle(Span<int> patches) => _stream.Shuffle(patches);
    }
}

/// <summary>How the hidden patches of a view lie.</summary>
public enum HiddenShape
{
    /// <summary>In rectangles, until there are enough.</summary>
    Block,

    /// <summary>Anywhere.</summary>
    Rand,
}

/// <summary>Patches of a view that a student is not shown: iBOT's.</summary>
/// <remarks>
/// Zhou et al., ICLR 2022, section 3.2 and appendix A; the blocks are BEiT's (Bao et al., ICLR 2022, algorithm 1) with differences: a block may be as
/// small as the largest square of a third of the grid's side, no more patches are hidden than asked for, and none is as wide or as high as the grid.
/// Of several ratios, each with a spread, one is drawn for each view; a ratio of 0 hides nothing.
/// </remarks>
/// <param name="Ratios">Share of the patches to hide, r: one or more, of which one is taken.</param>
/// <param name="Spreads">Of each of them, v: uniform within r ± v; not drawn where it is 0.</param>
/// <param name="Shape">How they lie.</param>
public sealed record HiddenPatches(IReadOnlyList<double> Ratios, IReadOnlyList<double> Spreads, HiddenShape Shape)
{
    private const int Tries = 10, LeastShare = 3;
    private const double LeastAspect = 0.3;

    /// <summary>Draws what is hidden of one view.</summary>
    /// <param name="grid">Its patches.</param>
    /// <param name="draws">Where the numbers come from, in this order: each ratio that has a spread; which ratio, where there are several; then for
    /// each try at a block its area, its aspect and, if it fits, top and left.</param>
    /// <returns>[N], true for a hidden patch.</returns>
    public bool[] Draw(PatchGrid grid, MaskDraws draws)
    {
        ArgumentNullException.ThrowIfNull(draws);
        double[] ratios = [.. Ratios.Zip(Spreads, (r, v) => v > 0 ? draws.Uniform(r - v, r + v) : r)];
        var ratio = ratios.Length > 1 ? ratios[draws.Integer(0, ratios.Length - 1)] : ratios[0];
        var wanted = ratio * grid.Count;
        return Shape == HiddenShape.Rand ? Anywhere(grid, wanted, draws) : Blocks(grid, wanted, draws);
    }

    private static bool[] Anywhere(PatchGrid grid, double wanted, MaskDraws draws)
    {
        int[] order = [.. Enumerable.Range(0, grid.Count)];
        draws.Shuffle(order);
        var hidden = new bool[grid.Count];
        foreach (var patch in order.AsSpan(0, Math.Clamp((int)wanted, 0, grid.Count))) hidden[patch] = true;
        return hidden;
    }

    private static bool[] Blocks(PatchGrid grid, double wanted, MaskDraws draws)
    {
        var hidden = new bool[grid.Count];
        var side = Math.Min(grid.Height, grid.Width) / LeastShare;
        var aspect = Math.Log(1 / LeastAspect);
        for (var count = 0; count < wanted;)
        {
            var added = 0;
            for (var attempt = 0; attempt < Tries && added == 0; attempt++)
            {
                var allowed = wanted - count;
                var area = draws.Uniform(side * side, allowed);
                var stretch = Math.Exp(draws.Uniform(-aspect, aspect));
                var (height, width) = ((int)Math.Round(Math.Sqrt(area * stretch)), (int)Math.Round(Math.Sqrt(area / stretch)));
                if (width >= grid.Width || height >= grid.Height) continue;
                var (top, left) = (draws.Integer(0, grid.Height - height), draws.Integer(0, grid.Width - width));
                var fresh = CountOf(hidden, grid, top, left, height, width);
                if (fresh == 0 || fresh > allowed) continue;
                for (var y = top; y < top + height; y++) Array.Fill(hidden, true, (y * grid.Width) + left, width);
                added = fresh;
            }

            if (added == 0) break;
            count += added;
        }

        return hidden;
    }

    /// <summary>Patches of a rectangle that are not hidden yet.</summary>
    private static int CountOf(bool[] hidden, PatchGrid grid, int top, int left, int height, int width)
    {
        var fresh = 0;
        for (var y = top; y < top + height; y++)
            for (var x = left; x < left + width; x++) fresh += hidden[(y * grid.Width) + x] ? 0 : 1;
        return fresh;
    }
}
