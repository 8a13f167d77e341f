namespace JepaSharp.Masking;

/// <summary>Whether masks can be drawn from options at all, and on which grid they could.</summary>
public static class MaskFeasibility
{
    private const int LargestSide = 128;

    /// <summary>
    /// Why the options' grid has no room for the masks, as the rest of a sentence with blocks that can be drawn; null where it has.
    /// </summary>
    /// <param name="options">Every value in its range by itself.</param>
    public static string? Explain(MaskingOptions options) => options.Rule().Obstacle();

    /// <summary>
    /// The smallest grid with the options' proportions that has room; null where none of up to 128 patches a side has.
    /// </summary>
    /// <param name="options">Every value in its range by itself.</param>
    public static PatchGrid? SmallestGrid(MaskingOptions options) => First(options, Enumerable.Range(1, LargestSide));

    /// <summary>The grids with the options' proportions that have room and are nearest to theirs in size, the smaller first.</summary>
    /// <remarks>Two, one or none: larger is not always better. Quarters, say, want an even number of rows and columns.</remarks>
    /// <param name="options">Every value in its range by itself.</param>
    public static IReadOnlyList<PatchGrid> NearestGrids(MaskingOptions options)
    {
        var own = Longer(options.Grid);
        PatchGrid?[] found =
        [
            First(options, Enumerable.Range(1, Math.Min(own - 1, LargestSide)).Reverse()),
            First(options, Enumerable.Range(own + 1, Math.Max(0, LargestSide - own))),
        ];
        return [.. found.OfType<PatchGrid>()];
    }

    /// <summary>What is wrong with the options' grid and what would do, in whole sentences; null where nothing is.</summary>
    internal static string? Problem(MaskingOptions options)
    {
        if (Explain(options) is not { } obstacle) return null;
        var found = $"A grid of {options.Grid} patches cannot be masked: {obstacle}.";
        return NearestGrids(options) switch
        {
            [] => $"{found} No grid of up to {LargestSide} patches a side would do: {Ways(options.Remedy)}.",
            [var one] when Longer(one) > Longer(options.Grid) =>
                $"{found} The smallest grid of this shape that works is {one}: use a larger image or a smaller patch, or lower min_keep.",
            var near => $"{found} Of this shape, a grid of {string.Join(" or ", near)} works: use another size of image or of patch.",
        };
    }

    private static string Ways(MaskRemedy remedy)
    {
        var lower = $"lower {string.Join(" or ", remedy.Lowered)}";
        return remedy.Raised.Count == 0 ? lower : $"{lower}, or raise {string.Join(" or ", remedy.Raised)}";
    }

    private static PatchGrid? First(MaskingOptions options, IEnumerable<int> sides)
    {
        var longer = Longer(options.Grid);
        foreach (var side in sides)
        {
            var grid = new PatchGrid(Scaled(options.Grid.Height), Scaled(options.Grid.Width));
            if (Explain(options with { Grid = grid }) is null) return grid;

            int Scaled(int length) => Math.Max(1, (int)Math.Round((double)length * side / longer, MidpointRounding.AwayFromZero));
        }

        return null;
    }

    private static int Longer(PatchGrid grid) => Math.Max(grid.Height, grid.Width);
}
