using JepaSharp.Runtime;

namespace JepaSharp.Masking;

/// <summary>The block sizes in whole patches that keep to a scale and an aspect range.</summary>
/// <remarks>
/// Rounding an ideal block to whole patches can leave the stated ranges: on an 8x8 grid 3x3 patches are 14 % of it, below the paper's
/// 15 %. Only sizes within both ranges are used. A grid that has none gets the sizes that break them least, as the sum
/// of logarithmic distances in which scale counts twice, since it decides how much is hidden; so a square context
/// block on an 8x16 grid becomes 8x14.
/// </remarks>
internal static class AdmissibleSizes
{
    private const double Tolerance = 1e-9;

    /// <summary>Every admissible size on <paramref name="grid"/>; at least one.</summary>
    /// <param name="grid">The patch grid.</param>
    /// <param name="scale">Share of the grid's patches.</param>
    /// <param name="aspect">Height over width.</param>
    public static BlockSize[] Of(PatchGrid grid, Interval scale, Interval aspect)
    {
        var least = double.PositiveInfinity;
        var sizes = new List<BlockSize>();
        for (var height = 1; height <= grid.Height; height++)
        {
            for (var width = 1; width <= grid.Width; width++)
            {
                var excess = (2 * scale.LogDistance((double)height * width / grid.Count)) + aspect.LogDistance((double)height / width);
                if (excess > least + Tolerance) continue;
                if (excess < least - Tolerance) sizes.Clear();
                least = Math.Min(least, excess);
                sizes.Add(new BlockSize(height, width));
            }
        }

        return [.. sizes];
    }

    /// <summary>Those of <see cref="Of"/>'s sizes that are the <see cref="Nearest"/> to some scale and aspect within the ranges.</summary>
    /// <remarks>
    /// A size within both ranges is nearest to itself. Of sizes that break them equally, an even grid of scales and aspects shows which are ever
    /// nearest.
    /// </remarks>
    public static BlockSize[] Drawn(BlockSize[] sizes, PatchGrid grid, Interval scale, Interval aspect)
    {
        const int Steps = 64;
        if (sizes.Length == 1 || Array.TrueForAll(sizes, IsWithin)) return sizes;
        var drawn = new HashSet<BlockSize>();
        for (var i = 0; i < Steps; i++)
        {
            for (var j = 0; j < Steps; j++) drawn.Add(Nearest(sizes, grid, scale.At((double)i / Steps), aspect.At((double)j / Steps)));
        }

        return [.. drawn];

        bool IsWithin(BlockSize size) => scale.Contains((double)size.Count / grid.Count) && aspect.Contains((double)size.Height / size.Width);
    }

    /// <summary>The size nearest to the ideal block of a scale and aspect; the rounded block, where that is admissible.</summary>
    public static BlockSize Nearest(BlockSize[] sizes, PatchGrid grid, double scale, double aspect)
    {
        double height = Math.Sqrt(scale * grid.Count * aspect), width = Math.Sqrt(scale * grid.Count / aspect);
        var (nearest, least) = (sizes[0], double.PositiveInfinity);
        foreach (var size in sizes)
        {
            double down = size.Height - height, across = size.Width - width;
            var distance = (down * down) + (across * across);
            if (distance < least) (nearest, least) = (size, distance);
        }

        return nearest;
    }
}

/// <summary>Rows and columns of a block, without a position.</summary>
internal readonly record struct BlockSize(int Height, int Width)
{
    public int Count => Height * Width;

    /// <summary>For instance <c>3x4 = 12 patches</c>.</summary>
    public override string ToString() => $"{Height}x{Width} = {Count} {(Count == 1 ? "patch" : "patches")}";

    /// <summary>Most patches that two blocks of these sizes can share.</summary>
    public int MostShared(BlockSize other) => Math.Min(Height, other.Height) * Math.Min(Width, other.Width);

    public PatchBlock At(int top, int left) => new(top, left, Height, Width);
}

/// <summary>The sizes drawn for a batch: all its target blocks have one, all its context blocks the other.</summary>
internal readonly record struct BlockSizes(BlockSize Target, BlockSize Context);
