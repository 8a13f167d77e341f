using System.Globalization;

namespace JepaSharp.Configuration.Rules;

/// <summary>What must hold of the section rcdm, where it is read. What its weights hold is seen when they are opened; whether the decoder can be
/// built, when it is.</summary>
internal static class RcdmRules
{
    private const int Group = 32;

    public static void Check(PretrainOptions options, RuleChecks checks)
    {
        if (options.Meta.Objective != MetaOptions.Rcdm) return;
        var rcdm = options.Rcdm;
        checks.Require(
            !string.IsNullOrWhiteSpace(rcdm.Weights), "rcdm.weights", rcdm.Weights, "the weights of an I-JEPA: a run, or a published checkpoint");
        checks.AtLeast(1, rcdm.Heads, "rcdm.heads");
        checks.Require(rcdm.Channels >= Group && rcdm.Channels % Group == 0, "rcdm.channels", rcdm.Channels, "a multiple of 32");
        var levels = Numbers(rcdm.Multipliers);
        checks.Require(levels is { Count: > 0 }, "rcdm.multipliers", rcdm.Multipliers, "numbers from 1 up, as in 1,2,2");
        checks.Require(Numbers(rcdm.Attention) is not null, "rcdm.attention", rcdm.Attention, "sides in pixels, as in 16,8, or nothing");
        var halvings = 1 << Math.Min(20, Math.Max(0, (levels?.Count ?? 1) - 1));
        checks.Require(
            rcdm.Size >= halvings && rcdm.Size % halvings == 0, "rcdm.size", rcdm.Size,
            string.Create(CultureInfo.InvariantCulture, $"a multiple of {halvings}, which its levels halve it by"));
        checks.AtLeast(1, rcdm.Blocks, "rcdm.blocks");
        checks.AtLeast(1, rcdm.DecoderHeads, "rcdm.decoder_heads");
        checks.AtLeast(1, rcdm.HeadWidth, "rcdm.head_width");
        checks.Require(rcdm.Dropout is >= 0 and < 1, "rcdm.dropout", rcdm.Dropout, "0 or more, and below 1");
        checks.AtLeast(2, rcdm.Steps, "rcdm.steps");
        checks.Require(rcdm.Average is >= 0 and <= 1, "rcdm.average", rcdm.Average, "0 to 1");
    }

    /// <summary>Whole numbers from 1 up between commas; null where there is anything else.</summary>
    internal static IReadOnlyList<int>? Numbers(string text)
    {
        var parts = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        int[] numbers = [.. parts.Select(p => int.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0)];
        return Array.TrueForAll(numbers, n => n >= 1) ? numbers : null;
    }
}
