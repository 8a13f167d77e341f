using JepaSharp.Masking;

namespace JepaSharp.Configuration.Rules;

/// <summary>What must hold of the section msn, where it is read.</summary>
internal static class MaskedSiameseRules
{
    public static void Check(PretrainOptions options, RuleChecks checks)
    {
        if (options.Meta.Objective != MetaOptions.MaskedSiamese) return;
        ViewRules.Check(options, checks);
        var (msn, views) = (options.Msn, options.Views);
        checks.Require(views.Global >= 2, "views.global", views.Global, "2 or more: a target, and at least one masked anchor");
        foreach (var (pair, key) in ((ChancePair?, string)[])[(views.GlobalBlur, "global_blur"), (views.GlobalSolarize, "global_solarize")])
            checks.Require(pair is null, $"views.{key}", pair, "null: MSN's target and masked anchors are changed alike");
        CheckDrop(options, checks);
        checks.AtLeast(2, msn.Prototypes, "msn.prototypes");
        checks.AtLeast(1, msn.Hidden, "msn.hidden");
        checks.AtLeast(1, msn.Projection, "msn.projection");
        foreach (var (value, key) in ((double, string)[])[
            (msn.Temperature, "temperature"), (msn.StartSharpen, "start_sharpen"), (msn.FinalSharpen, "final_sharpen")])
            checks.Require(value > 0 && double.IsFinite(value), $"msn.{key}", value, "a number above 0");
        checks.Require(msn.LabelSmoothing is >= 0 and < 1, "msn.label_smoothing", msn.LabelSmoothing, "a share, in [0, 1)");
        foreach (var (value, key) in ((double, string)[])[(msn.MeanEntropy, "mean_entropy"), (msn.Entropy, "entropy")])
            checks.Require(value >= 0 && double.IsFinite(value), $"msn.{key}", value, "0 or more");
        checks.Require(
            options.Data.BatchSize != 1 || options.Optimization.Accumulate > 1, "data.batch_size", options.Data.BatchSize,
            "2 or more, or more optimization.accumulate: the head normalises by the images of a step");
    }

    private static void CheckDrop(PretrainOptions options, RuleChecks checks)
    {
        var drop = options.Msn.PatchDrop;
        checks.Require(drop is >= 0 and < 1, "msn.patch_drop", drop, "a share, in [0, 1)");
        var patch = options.Mask.PatchSize;
        if (drop is not (>= 0 and < 1) || patch < 1 || options.Data.CropSize < patch || options.Data.CropSize % patch != 0) return;
        var patches = options.Data.CropSize / patch * (options.Data.CropSize / patch);
        checks.Require(
            drop == 0 || RandomPatches.KeptOf(patches, drop) >= 1, "msn.patch_drop", drop, $"less: of {patches} patches at least one must be left");
    }
}
