namespace JepaSharp.Configuration;

/// <summary>Whether a patch grid has room for the masks that are asked for. The published code searches for ever where it has not.</summary>
/// <remarks>
/// Sizes are taken at their worst: the smallest context block, the largest target block. It is not asked that the context survive every placement of
/// all targets, which nearly no setting could promise; only that it keeps enough patches where the targets fall on one another.
/// </remarks>
public static class MaskFeasibility
{
    private const int LargestGrid = 256;

    /// <summary>Why the masks do not fit, as the rest of a sentence; null where they fit.</summary>
    /// <param name="mask">Valid by itself.</param>
    /// <param name="rows">Rows of the grid, H / P.</param>
    /// <param name="columns">Columns of the grid, W / P.</param>
    public static string? Explain(MaskOptions mask, int rows, int columns)
    {
        var context = BlockShape.Of(mask.EncMaskScale.Low, 1, rows, columns, mask.Compatibility);
        var smallest = BlockShape.All(mask.PredMaskScale.Low, mask.AspectRatio, rows, columns, mask.Compatibility).MinBy(shape => shape.Area);
        var largest = BlockShape.All(mask.PredMaskScale.High, mask.AspectRatio, rows, columns, mask.Compatibility).MaxBy(shape => shape.Area);

        if (context.Area < 1) return "the smallest context block has no patch";
        if (smallest.Area < 1) return "the smallest target block has no patch";
        if (context.Area <= mask.MinKeep)
            return $"the smallest context block has {Patches(context)}, not more than mask.min_keep ({mask.MinKeep})";
        if (mask.Compatibility == MaskCompatibility.Reference && smallest.Area <= mask.MinKeep)
            return $"the smallest target block has {Patches(smallest)}, not more than mask.min_keep ({mask.MinKeep}), as the published sampler wants";
        if (!mask.AllowOverlap && context.Area - largest.Area < mask.MinKeep)
        {
            return $"the smallest context block ({Patches(context)}) less the largest target block ({Patches(largest)}) "
                + $"keeps fewer than mask.min_keep ({mask.MinKeep})";
        }
        return null;
    }

    /// <summary>Side of the smallest square grid that has room for the masks; null where none up to 256 has.</summary>
    /// <param name="mask">Valid by itself.</param>
    public static int? SmallestGrid(MaskOptions mask)
    {
        for (var side = 1; side <= LargestGrid; side++)
        {
            if (Explain(mask, side, side) is null) return side;
        }
        return null;
    }

    private static string Patches(BlockShape shape) => $"{shape.Height}x{shape.Width} = {shape.Area} {(shape.Area == 1 ? "patch" : "patches")}";
}
