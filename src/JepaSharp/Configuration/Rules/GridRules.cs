using JepaSharp.Masking;

namespace JepaSharp.Configuration.Rules;

/// <summary>What must hold between the crop, the patch and the masks. Nothing is said here of values that are wrong by themselves.</summary>
internal static class GridRules
{
    /// <param name="data">The crop.</param>
    /// <param name="mask">The patch, and the blocks.</param>
    /// <param name="hasBlocks">Whether blocks are drawn at all: another objective than I-JEPA may train on any grid.</param>
    /// <param name="checks">Where problems go.</param>
    public static void Check(DataOptions data, MaskOptions mask, bool hasBlocks, RuleChecks checks)
    {
        var alone = new RuleChecks();
        DataRules.Check(data, alone);
        MaskRules.Check(mask, alone);
        if (alone.Problems.Any(problem => problem.Key == "data.crop_size" || problem.Key.StartsWith("mask.", StringComparison.Ordinal))) return;

        if (data.CropSize % mask.PatchSize != 0)
        {
            var nearest = NearestMultiples(data.CropSize, mask.PatchSize);
            checks.Report("data.crop_size", $"{data.CropSize}", $"a multiple of mask.patch_size ({mask.PatchSize}), such as {nearest}");
            return;
        }

        if (!hasBlocks) return;
        var side = data.CropSize / mask.PatchSize;
        var masking = mask.On(new PatchGrid(side, side));
        if (MaskFeasibility.Explain(masking) is not { } obstacle) return;
        var way = MaskFeasibility.SmallestGrid(masking) is { } smallest
            ? $"a grid of at least {smallest}: data.crop_size {smallest.Width * mask.PatchSize} or more, "
                + "or a smaller mask.patch_size or mask.min_keep"
            : "masks that leave a context on some grid: larger mask.enc_mask_scale, smaller mask.pred_mask_scale or mask.min_keep";
        var found = $"{data.CropSize}, a grid of {side}x{side} patches of {mask.PatchSize} pixels, on which {obstacle}";
        checks.Report("data.crop_size", found, way);
    }

    private static string NearestMultiples(int size, int patch)
    {
        var below = size / patch * patch;
        return below > 0 ? $"{below} or {below + patch}" : $"{patch}";
    }
}
