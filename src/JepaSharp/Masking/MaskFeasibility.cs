namespace JepaSharp.Masking;

/// <summary>Whether masks can be drawn from options at all, and on which grid they could.</summary>
public static class MaskFeasibility
{
    private const int LargestSide = 128;

    /// <summary>
    /// Why drawing could go on for ever on the options' grid, as the rest of a sentence with blocks that can be drawn; null where it always ends.
    /// </summary>
    /// <param name="options">Every value in its range by itself.</param>
    public static string? Explain(MultiBlockMaskingOptions options) => MultiBlockRule.Of(options).Obstacle();

    /// <summary>
    /// The smallest grid with the options' proportions on which drawing always ends; null where none of up to 128 patches a side is.
    /// </summary>
    /// <param name="options">Every value in its range by itself.</param>
    public static PatchGrid? SmallestGrid(MultiBlockMaskingOptions options)
    {
        var longer = Math.Max(options.Grid.Height, options.Grid.Width);
        for (var side = 1; side <= LargestSide; side++)
        {
            var grid = new PatchGrid(Scaled(options.Grid.Height), Scaled(options.Grid.Width));
            if (Explain(options with { Grid = grid }) is null) return grid;

            int Scaled(int length) => Math.Max(1, (int)Math.Round((double)length * side / longer, MidpointRounding.AwayFromZero));
        }

        return null;
    }

    /// <summary>What is wrong with the options' grid and what would do, in whole sentences; null where nothing is.</summary>
    internal static string? Problem(MultiBlockMaskingOptions options)
    {
        if (Explain(options) is not { } obstacle) return null;
        var found = $"A grid of {options.Grid} patches cannot be masked: {obstacle}.";
        return SmallestGrid(options) is { } grid
            ? $"{found} The smallest grid of this shape that works is {grid}: use a larger image or a smaller patch, or lower min_keep."
            : $"{found} No grid of up to {LargestSide} patches a side would do: lower min_keep or the target scale (pred_mask_scale), "
                + "or raise the context scale (enc_mask_scale).";
    }
}
