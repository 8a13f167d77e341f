using JepaSharp.Configuration.Schema;
using JepaSharp.Masking;

namespace JepaSharp.Configuration.Rules;

/// <summary>What must hold of the section mask by itself.</summary>
internal static class MaskRules
{
    private static readonly MaskOptions Defaults = new();

    /// <summary>Keys that some strategies do not read: one that is set there was meant to do something.</summary>
    private static readonly (string Key, Func<MaskOptions, object> Value, MaskStrategy[] ReadBy)[] Particular =
    [
        ("num_enc_masks", mask => mask.NumEncMasks, [MaskStrategy.MultiBlock]),
        ("enc_mask_scale", mask => mask.EncMaskScale, [MaskStrategy.MultiBlock]),
        ("num_pred_masks", mask => mask.NumPredMasks, [MaskStrategy.MultiBlock]),
        ("pred_mask_scale", mask => mask.PredMaskScale, [MaskStrategy.MultiBlock]),
        ("aspect_ratio", mask => mask.AspectRatio, [MaskStrategy.MultiBlock, MaskStrategy.Block]),
        ("allow_overlap", mask => mask.AllowOverlap, [MaskStrategy.MultiBlock]),
        ("compatibility", mask => mask.Compatibility, [MaskStrategy.MultiBlock, MaskStrategy.Random]),
        ("target_share", mask => mask.TargetShare, [MaskStrategy.Block, MaskStrategy.Random]),
        ("context_quadrant", mask => mask.ContextQuadrant, [MaskStrategy.Rasterized]),
    ];

    public static void Check(MaskOptions mask, RuleChecks checks)
    {
        CheckValues(mask, checks);
        foreach (var (key, value, readBy) in Particular.Where(p => !p.ReadBy.Contains(mask.Strategy)))
        {
            var usual = OptionValue.Write(value(Defaults));
            checks.Require(
                OptionValue.Write(value(mask)) == usual, $"mask.{key}", value(mask),
                $"{usual}, or nothing: mask.strategy {OptionValue.Write(mask.Strategy)} does not read it; "
                    + $"{string.Join(" and ", readBy.Select(s => OptionValue.Write(s)))} would");
        }
    }

    /// <summary>That batches fill the groups of images whose contexts have one length.</summary>
    public static void CheckGroups(MaskOptions mask, DataOptions data, RuleChecks checks)
    {
        checks.AtLeast(1, mask.ImagesPerLength, "mask.images_per_length");
        if (mask.ImagesPerLength is not (>= 1 and var images) || data.BatchSize < 1 || images % data.BatchSize == 0) return;
        var above = ((images / data.BatchSize) + 1) * data.BatchSize;
        var near = images < data.BatchSize
            ? $"{data.BatchSize} or more; for shorter groups make data.batch_size smaller and optimization.accumulate larger"
            : $"{above - data.BatchSize} or {above}";
        checks.Report("mask.images_per_length", $"{images}", $"a multiple of data.batch_size ({data.BatchSize}), such as {near}");
    }

    /// <summary>The values that are read, each by itself.</summary>
    public static void CheckValues(MaskOptions mask, RuleChecks checks)
    {
        checks.AtLeast(1, mask.PatchSize, "mask.patch_size");
        foreach (var problem in mask.On(new PatchGrid(1, 1)).BadValues()) checks.Report("mask." + problem.Option, problem.Found, problem.Expected);
    }
}

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
        MaskRules.CheckValues(mask, alone);
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
        var way = MaskFeasibility.NearestGrids(masking) switch
        {
            [] => $"masks that leave a context on some grid: {Ways(masking.Remedy)}",
            [var one] when one.Width > side =>
                $"a grid of at least {one}: data.crop_size {one.Width * mask.PatchSize} or more, or a smaller mask.patch_size or mask.min_keep",
            var near => $"a grid of {string.Join(" or ", near)}: data.crop_size {string.Join(" or ", near.Select(g => g.Width * mask.PatchSize))}",
        };
        var found = $"{data.CropSize}, a grid of {side}x{side} patches of {mask.PatchSize} pixels, on which {obstacle}";
        checks.Report("data.crop_size", found, way);
    }

    private static string Ways(MaskRemedy remedy)
    {
        var smaller = "smaller " + string.Join(" or ", remedy.Lowered.Select(key => "mask." + key));
        return remedy.Raised.Count == 0 ? smaller : $"larger {string.Join(" or ", remedy.Raised.Select(key => "mask." + key))}, {smaller}";
    }

    private static string NearestMultiples(int size, int patch)
    {
        var below = size / patch * patch;
        return below > 0 ? $"{below} or {below + patch}" : $"{patch}";
    }
}
