using System.Text.RegularExpressions;
using JepaSharp.Runtime;

namespace JepaSharp.Configuration.Rules;

/// <summary>What must hold of the section meta.</summary>
internal static partial class MetaRules
{
    public static void Check(MetaOptions meta, RuleChecks checks)
    {
        if (!EncoderPreset.Names.Contains(meta.ModelName))
        {
            var perhaps = NearestName.Of(meta.ModelName, EncoderPreset.Names) is { } near ? $" ({near}, perhaps)" : "";
            checks.Require(false, "meta.model_name", meta.ModelName, $"one of {string.Join(", ", EncoderPreset.Names)}{perhaps}");
        }
        CheckWidth(meta.EmbedDim, "meta.embed_dim", checks);
        CheckWidth(meta.PredEmbDim, "meta.pred_emb_dim", checks);
        CheckHeads(meta.NumHeads, meta.EmbedDim, "meta.num_heads", "meta.embed_dim", checks);
        CheckHeads(meta.PredNumHeads, meta.PredEmbDim, "meta.pred_num_heads", "meta.pred_emb_dim", checks);
        checks.AtLeast(1, meta.Depth, "meta.depth");
        checks.AtLeast(1, meta.PredDepth, "meta.pred_depth");
        checks.Require(meta.MlpRatio is null or > 0 and < double.PositiveInfinity, "meta.mlp_ratio", meta.MlpRatio, "a number above 0");
        checks.Require(Device().IsMatch(meta.Device), "meta.device", meta.Device, "auto, cpu, cuda or cuda:n");
        checks.AtLeast(0, meta.Seed, "meta.seed");
        checks.NotEmpty(meta.ReadCheckpoint, "meta.read_checkpoint");
        checks.Require(
            !meta.LoadCheckpoint,
            "meta.load_checkpoint",
            meta.LoadCheckpoint,
            "false: go on with a run by --resume --out RUN, or begin with its weights by --init PATH");
        checks.Require(
            !meta.CopyData, "meta.copy_data", meta.CopyData, "false: data is read where it lies; copy it yourself and point data.path at the copy");
    }

    // Half of the width encodes the row, half the column, each half in sines and cosines.
    private static void CheckWidth(int? width, string key, RuleChecks checks) =>
        checks.Require(width is null || (width > 0 && width % 4 == 0), key, width, "a positive multiple of 4, as sine-cosine positions need");

    private static void CheckHeads(int? heads, int? width, string key, string widthKey, RuleChecks checks)
    {
        checks.AtLeast(1, heads, key);
        if (heads >= 1 && width >= 1)
            checks.Require(width % heads == 0, key, heads, $"a divisor of {widthKey} ({width})");
    }

    [GeneratedRegex(@"^(auto|cpu|cuda(:\d{1,3})?)\z")]
    private static partial Regex Device();
}
