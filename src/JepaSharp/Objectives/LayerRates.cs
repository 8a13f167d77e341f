using System.Globalization;

namespace JepaSharp.Objectives;

/// <summary>Layer-wise learning rates: layer l of L + 1 learns at decay^(L - l) of the rate (Clark et al., ELECTRA, 2020; Bao et al., BEiT, 2022).</summary>
/// <remarks>Layer 0 is what comes before the blocks, block i is layer i + 1, and the last norm is of layer L, like the head.</remarks>
public static class LayerRates
{
    private static readonly string[] BeforeTheBlocks = ["patch_embed.", "pos_embed", "cls_token", "mask_token"];

    /// <summary>The share of the learning rate that a parameter of an encoder gets.</summary>
    /// <param name="depth">The encoder's blocks.</param>
    /// <param name="decay">Each layer's rate as a share of the next one's, in (0, 1].</param>
    /// <returns>From a parameter's name in the encoder, such as <c>blocks.0.norm1.weight</c>.</returns>
    public static Func<string, double> Of(int depth, double decay) => name => Math.Pow(decay, depth + 1 - LayerOf(name, depth));

    private static int LayerOf(string name, int depth)
    {
        if (Array.Exists(BeforeTheBlocks, start => name.StartsWith(start, StringComparison.Ordinal))) return 0;
        return name.StartsWith("blocks.", StringComparison.Ordinal) ? int.Parse(name.Split('.')[1], CultureInfo.InvariantCulture) + 1 : depth + 1;
    }
}
