namespace JepaSharp.Masking;

/// <summary>Whether masks can be drawn from options at all, and on which grid they could.</summary>
internal static class MaskFeasibility
{
    private const int LargestSide = 128;

    public static bool Works(MultiBlockMaskingOptions options) => MultiBlockRule.Of(options).AlwaysEnds();

    /// <summary>What is wrong with the options' grid, and the smallest grid of its shape that would do.</summary>
    public static string Explain(MultiBlockMaskingOptions options)
    {
        var wanted = options.Compatibility == MaskCompatibility.Reference
            ? $"more than min_keep = {options.MinKeep} patches in every context and target block"
            : $"at least min_keep = {options.MinKeep} patches of context beside a target block";
        var found = $"A grid of {options.Grid} patches cannot be masked: context scale {options.ContextScale} and target scale "
            + $"{options.TargetScale} do not leave {wanted}.";
        return SmallestGrid(options) is { } grid
            ? $"{found} The smallest grid of this shape that works is {grid}: use a larger image or a smaller patch, or lower min_keep."
            : $"{found} No grid would: lower min_keep or the target scale (pred_mask_scale), or raise the context scale (enc_mask_scale).";
    }

    /// <summary>The smallest grid with the options' proportions from which drawing always ends; null if there is none.</summary>
    private static PatchGrid? SmallestGrid(MultiBlockMaskingOptions options)
    {
        var longer = Math.Max(options.Grid.Height, options.Grid.Width);
        for (var side = 1; side <= LargestSide; side++)
        {
            var grid = new PatchGrid(Scaled(options.Grid.Height), Scaled(options.Grid.Width));
            if (Works(options with { Grid = grid })) return grid;

            int Scaled(int length) => Math.Max(1, (int)Math.Round((double)length * side / longer, MidpointRounding.AwayFromZero));
        }

        return null;
    }
}
