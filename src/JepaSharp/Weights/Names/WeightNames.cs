namespace JepaSharp.Weights;

/// <summary>The names of weights as the published code gives them, which are ours too.</summary>
/// <remarks>
/// <c>encoder.</c>, <c>predictor.</c> or <c>target_encoder.</c>, then the name inside the network:
/// <c>pos_embed</c>, <c>patch_embed.proj</c>, <c>blocks.N.{norm1, attn.qkv, attn.proj, norm2, mlp.fc1, mlp.fc2}</c>, <c>norm</c> for an encoder, and
/// <c>mask_token</c>, <c>predictor_pos_embed</c>, <c>predictor_embed</c>, <c>predictor_blocks.N...</c>, <c>predictor_norm</c>, <c>predictor_proj</c>
/// for the predictor; BEiT's and data2vec's encoders have <c>mask_token</c>, <c>rel_pos_bias.relative_position_bias_table</c>,
/// <c>blocks.N.{gamma_1, gamma_2, attn.q_bias, attn.v_bias}</c> and no <c>attn.qkv.bias</c>; a class token is <c>cls_token</c>, and MAE's
/// <c>decoder.</c> has <c>mask_token</c>, <c>decoder_pos_embed</c>,
/// <c>decoder_embed</c>, <c>decoder_blocks.N...</c>, <c>decoder_norm</c> and <c>decoder_pred</c>; <c>.weight</c> and <c>.bias</c> where there are
/// both.
/// </remarks>
public static class WeightNames
{
    /// <summary>The most blocks that are believed of a file.</summary>
    internal const int MostBlocks = 1000;

    /// <summary>The network that a full name belongs to, and the name inside it; null if it begins with none of the known names.</summary>
    /// <param name="name">A weight's name.</param>
    /// <param name="networks">Names of networks.</param>
    public static (string? Network, string Inner) Split(string name, IReadOnlyList<string> networks)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(networks);
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && networks.Contains(name[..dot]) ? (name[..dot], name[(dot + 1)..]) : (null, name);
    }

    /// <summary>Removes what wrappers put in front of names: <c>module.</c> of data-parallel training, <c>_orig_mod.</c> of compilation.</summary>
    public static string WithoutWrappers(string name)
    {
        foreach (var wrapper in (ReadOnlySpan<string>)["module.", "_orig_mod.", "module."])
        {
            if (name.StartsWith(wrapper, StringComparison.Ordinal)) name = name[wrapper.Length..];
        }

        return name;
    }

    /// <summary>Whether AdamW's weight decay skips a parameter: biases and everything of one dimension. The mask token is decayed.</summary>
    public static bool IsUndecayed(string name, int dimensions) => dimensions == 1 || name.EndsWith(".bias", StringComparison.Ordinal);

    /// <summary>The index in "blocks.N.inner" after a prefix such as "blocks."; null if the name has not that form.</summary>
    internal static (int Index, string Inner)? Block(string name, string prefix)
    {
        if (!name.StartsWith(prefix, StringComparison.Ordinal)) return null;
        var dot = name.IndexOf('.', prefix.Length);
        if (dot < 0) return null;
        var digits = name.AsSpan(prefix.Length, dot - prefix.Length);
        if (digits.Length is 0 or > 4 || digits.ContainsAnyExceptInRange('0', '9') || (digits.Length > 1 && digits[0] == '0')) return null;
        var index = int.Parse(digits);
        return index < MostBlocks ? (index, name[(dot + 1)..]) : null;
    }
}
