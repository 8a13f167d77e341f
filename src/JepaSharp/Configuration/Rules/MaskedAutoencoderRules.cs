using JepaSharp.Masking;

namespace JepaSharp.Configuration.Rules;

/// <summary>What must hold of the section mae, where MAE is trained.</summary>
internal static class MaskedAutoencoderRules
{
    public static void Check(PretrainOptions options, RuleChecks checks)
    {
        var mae = options.Mae;
        checks.Require(mae.MaskRatio is > 0 and < 1, "mae.mask_ratio", mae.MaskRatio, "a share above 0 and below 1");
        checks.AtLeast(1, mae.DecoderDepth, "mae.decoder_depth");
        checks.Require(
            mae.DecoderWidth > 0 && mae.DecoderWidth % 4 == 0, "mae.decoder_width", mae.DecoderWidth,
            "a positive multiple of 4, as sine-cosine positions need");
        checks.AtLeast(1, mae.DecoderHeads, "mae.decoder_heads");
        if (mae.DecoderHeads >= 1 && mae.DecoderWidth > 0)
            checks.Require(
                mae.DecoderWidth % mae.DecoderHeads == 0, "mae.decoder_heads", mae.DecoderHeads,
                $"a divisor of mae.decoder_width ({mae.DecoderWidth})");
        if (options.Meta.Objective == MetaOptions.MaskedAutoencoder) CheckGrid(options, checks);
    }

    /// <summary>Something has to be seen, and something to be guessed.</summary>
    private static void CheckGrid(PretrainOptions options, RuleChecks checks)
    {
        var (size, patch, ratio) = (options.Data.CropSize, options.Mask.PatchSize, options.Mae.MaskRatio);
        if (patch < 1 || size < patch || size % patch != 0 || ratio is not (> 0 and < 1)) return; // said elsewhere
        var patches = size / patch * (size / patch);
        var kept = RandomPatches.KeptOf(patches, ratio);
        checks.Require(
            kept >= 1 && kept < patches, "mae.mask_ratio", ratio,
            $"a share that leaves the encoder at least one of {patches} patches and hides at least one (it would see {kept})");
    }
}
