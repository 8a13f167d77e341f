namespace JepaSharp.Configuration.Rules;

/// <summary>What must hold of the section mask by itself.</summary>
internal static class MaskRules
{
    public static void Check(MaskOptions mask, RuleChecks checks)
    {
        checks.AtLeast(1, mask.PatchSize, "mask.patch_size");
        checks.AtLeast(1, mask.NumEncMasks, "mask.num_enc_masks");
        checks.AtLeast(1, mask.NumPredMasks, "mask.num_pred_masks");
        checks.AtLeast(1, mask.MinKeep, "mask.min_keep");
        checks.Range(mask.EncMaskScale, 1, "mask.enc_mask_scale");
        checks.Range(mask.PredMaskScale, 1, "mask.pred_mask_scale");
        checks.Range(mask.AspectRatio, double.PositiveInfinity, "mask.aspect_ratio");
    }
}
