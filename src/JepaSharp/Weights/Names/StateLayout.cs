using JepaSharp.Models;

namespace JepaSharp.Weights;

/// <summary>The names and shapes that the weights of an encoder, a predictor and MAE's decoder must have, in the published order.</summary>
internal static class StateLayout
{
    /// <summary>The name of a class token inside its network.</summary>
    public const string ClassToken = "cls_token";

    /// <summary>The names inside its network of what tells BEiT's blocks from others.</summary>
    public const string MaskToken = "mask_token", RelativeTable = "rel_pos_bias.relative_position_bias_table", Scale = "blocks.0.gamma_1",
        QueryBias = "blocks.0.attn.q_bias", KeyBias = "blocks.0.attn.qkv.bias";

    /// <summary>What BEiT's files hold beside weights: it follows from the grid.</summary>
    public const string RelativePlaces = "rel_pos_bias.relative_position_index";

    /// <summary>Names inside the network, and shapes: D, C, P and N as in <see cref="VisionTransformerShape"/>.</summary>
    public static IEnumerable<(string Name, long[] Shape)> Encoder(VisionTransformerShape shape)
    {
        long width = shape.Width;
        if (shape.ClassToken) yield return (ClassToken, [1, 1, width]);
        if (shape.MaskToken) yield return (MaskToken, [1, 1, width]);
        if (shape.AbsolutePositions) yield return ("pos_embed", [1, shape.Tokens, width]);
        yield return ("patch_embed.proj.weight", [width, shape.Channels, shape.PatchSize, shape.PatchSize]);
        yield return ("patch_embed.proj.bias", [width]);
        if (shape.RelativePositions)
            yield return (RelativeTable, [RelativePositionBias.RowsOf(shape.GridHeight, shape.GridWidth), shape.Heads]);
        var parts = new BlockParts(shape.LayerScale, shape.KeyBias);
        foreach (var entry in Blocks("blocks", shape.Depth, width, shape.MlpWidth, parts)) yield return entry;
        yield return ("norm.weight", [width]);
        yield return ("norm.bias", [width]);
    }

    /// <summary>Names inside the network, and shapes.</summary>
    /// <param name="shape">The predictor's.</param>
    /// <param name="encoder">Its encoder's.</param>
    /// <param name="mlpWidth">Width of the hidden layer of each MLP.</param>
    public static IEnumerable<(string Name, long[] Shape)> Predictor(PredictorShape shape, VisionTransformerShape encoder, long mlpWidth)
    {
        long width = shape.Width;
        yield return ("mask_token", [1, 1, width]);
        yield return ("predictor_pos_embed", [1, encoder.Patches, width]);
        yield return ("predictor_embed.weight", [width, encoder.Width]);
        yield return ("predictor_embed.bias", [width]);
        foreach (var entry in Blocks("predictor_blocks", shape.Depth, width, mlpWidth)) yield return entry;
        yield return ("predictor_norm.weight", [width]);
        yield return ("predictor_norm.bias", [width]);
        long outputs = shape.Outputs ?? encoder.Width;
        yield return ("predictor_proj.weight", [outputs, width]);
        yield return ("predictor_proj.bias", [outputs]);
    }

    /// <summary>Names inside MAE's decoder, and shapes.</summary>
    /// <param name="shape">The decoder's.</param>
    /// <param name="encoder">Its encoder's.</param>
    public static IEnumerable<(string Name, long[] Shape)> Decoder(PixelDecoderShape shape, VisionTransformerShape encoder)
    {
        long width = shape.Width, pixels = PatchPixels.CountOf(encoder);
        yield return ("mask_token", [1, 1, width]);
        yield return ("decoder_pos_embed", [1, encoder.Tokens, width]);
        yield return ("decoder_embed.weight", [width, encoder.Width]);
        yield return ("decoder_embed.bias", [width]);
        foreach (var entry in Blocks("decoder_blocks", shape.Depth, width, shape.MlpWidth)) yield return entry;
        yield return ("decoder_norm.weight", [width]);
        yield return ("decoder_norm.bias", [width]);
        yield return ("decoder_pred.weight", [pixels, width]);
        yield return ("decoder_pred.bias", [pixels]);
    }

    private static IEnumerable<(string Name, long[] Shape)> Blocks(
        string prefix, int depth, long width, long mlpWidth, BlockParts? parts = null)
    {
        parts ??= new BlockParts();
        for (var i = 0; i < depth; i++)
        {
            if (parts.LayerScale)
            {
                yield return ($"{prefix}.{i}.gamma_1", [width]);
                yield return ($"{prefix}.{i}.gamma_2", [width]);
            }

            if (!parts.KeyBias)
            {
                yield return ($"{prefix}.{i}.attn.q_bias", [width]);
                yield return ($"{prefix}.{i}.attn.v_bias", [width]);
            }

            foreach (var (name, outputs, inputs) in ((string, long, long)[])[
                ("norm1", width, 0), ("attn.qkv", 3 * width, width), ("attn.proj", width, width),
                ("norm2", width, 0), ("mlp.fc1", mlpWidth, width), ("mlp.fc2", width, mlpWidth)])
            {
                yield return ($"{prefix}.{i}.{name}.weight", inputs == 0 ? [outputs] : [outputs, inputs]);
                if (name != "attn.qkv" || parts.KeyBias) yield return ($"{prefix}.{i}.{name}.bias", [outputs]);
            }
        }
    }
}
