using JepaSharp.Configuration.Schema;

namespace JepaSharp.Configuration.Rules;

/// <summary>What must hold of the section data2vec, where it is read.</summary>
internal static class Data2VecRules
{
    public static void Check(PretrainOptions options, RuleChecks checks)
    {
        if (options.Meta.Objective != MetaOptions.Data2Vec) return;
        var own = options.Data2vec;
        CheckMasks(options, checks);
        checks.AtLeast(1, own.TargetBlocks, "data2vec.target_blocks");
        var depth = options.Meta.Depth ?? EncoderPreset.All.FirstOrDefault(preset => preset.Name == options.Meta.ModelName)?.Depth;
        if (depth >= 1)
            checks.Require(
                own.TargetBlocks is null || own.TargetBlocks <= depth, "data2vec.target_blocks", own.TargetBlocks,
                $"at most the encoder's {depth} blocks");
        checks.Require(own.Beta > 0 && double.IsFinite(own.Beta), "data2vec.beta", own.Beta, "a number above 0");
        foreach (var (value, key) in ((double, string)[])[(own.Variance, "variance"), (own.LayerScale, "layer_scale")])
            checks.Require(value >= 0 && double.IsFinite(value), $"data2vec.{key}", value, "0 or more");
        checks.Require(own.DropPath is >= 0 and < 1, "data2vec.drop_path", own.DropPath, "a rate, 0 to below 1");
        checks.AtLeast(0, own.EmaSteps, "data2vec.ema_steps");
        checks.Require(
            !own.AveragePlaces || own.Positions == Data2VecPositions.Relative, "data2vec.average_places", own.AveragePlaces,
            $"false with data2vec.positions {OptionValue.Write(own.Positions)}: there are no places to average");
        CheckView(options, checks);
    }

    /// <summary>Something has to be masked, and something left to see; rectangles have to fit.</summary>
    private static void CheckMasks(PretrainOptions options, RuleChecks checks)
    {
        var (own, size, patch) = (options.Data2vec, options.Data.CropSize, options.Mask.PatchSize);
        checks.AtLeast(1, own.MaskLeast, "data2vec.mask_least");
        checks.AtLeast(1, own.MaskMost, "data2vec.mask_most");
        if (patch < 1 || size < patch || size % patch != 0) return; // said elsewhere
        var patches = size / patch * (size / patch);
        checks.Require(
            own.MaskPatches is null || (own.MaskPatches >= 1 && own.MaskPatches < patches), "data2vec.mask_patches", own.MaskPatches,
            $"1 to {patches - 1}, fewer than the {patches} patches of a crop");
        checks.Require(
            patches >= 4, "data.crop_size", size, $"a grid of 2x2 patches or more: rectangles leave a row and a column free");
        checks.Require(
            own.MaskLeast < patches, "data2vec.mask_least", own.MaskLeast, $"fewer than the {patches} patches of a crop, none of which would ever be "
                + "masked");
    }

    private static void CheckView(PretrainOptions options, RuleChecks checks)
    {
        ViewRules.CheckChanges(options, checks);
        checks.Require(options.Views.Global == 1, "views.global", options.Views.Global, "1: data2vec makes one view of an image");
        checks.Require(options.Views.Local == 0, "views.local", options.Views.Local, "0: data2vec makes one view of an image");
        checks.Require(options.Views.GlobalBlur is null, "views.global_blur", options.Views.GlobalBlur, "null: there is one view; views.blur");
        checks.Require(
            options.Views.GlobalSolarize is null, "views.global_solarize", options.Views.GlobalSolarize, "null: there is one view; views.solarize");
    }
}
