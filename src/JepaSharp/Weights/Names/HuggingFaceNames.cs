namespace JepaSharp.Weights;

/// <summary>The names that Hugging Face's IJepaModel, ViTMAEModel and Data2VecVisionModel give to weights, and the way from and to ours.</summary>
/// <remarks>
/// MAE's decoder stands beside its encoder there (<c>vit.</c> and <c>decoder.</c>), under names that are ours but for its blocks.
/// Two layouts are read: <c>encoder.layer.N.attention.attention.query</c>, which transformers writes up to 5.12 at least, and
/// <c>layers.N.attention.q_proj</c>, which its later models use. The first is written: every release reads it. Query, key and value are three
/// matrices [D, D] there and one [3D, D] here, rows in this order, so both ways are copies bit for bit.
/// </remarks>
public static class HuggingFaceNames
{
    private static readonly string[] Projections = ["query", "key", "value"];

    private static readonly (string Theirs, string Ours)[] Outer =
    [
        ("embeddings.cls_token", "cls_token"),
        ("embeddings.mask_token", "mask_token"),
        ("encoder.relative_position_bias.relative_position_bias_table", "rel_pos_bias.relative_position_bias_table"),
        ("embeddings.position_embeddings", "pos_embed"),
        ("embeddings.patch_embeddings.projection.weight", "patch_embed.proj.weight"),
        ("embeddings.patch_embeddings.projection.bias", "patch_embed.proj.bias"),
        ("layernorm.weight", "norm.weight"),
        ("layernorm.bias", "norm.bias"),
    ];

    private static readonly (string Theirs, string Later, string Ours)[] InBlock =
    [
        ("layernorm_before", "layernorm_before", "norm1"),
        ("attention.attention.query", "attention.q_proj", "attn.qkv"),
        ("attention.attention.key", "attention.k_proj", "attn.qkv"),
        ("attention.attention.value", "attention.v_proj", "attn.qkv"),
        ("attention.output.dense", "attention.o_proj", "attn.proj"),
        ("layernorm_after", "layernorm_after", "norm2"),
        ("intermediate.dense", "mlp.fc1", "mlp.fc1"),
        ("output.dense", "mlp.fc2", "mlp.fc2"),
    ];

    /// <summary>What stands in a block by itself, without a weight and a bias; of queries and values, a bias where keys have none.</summary>
    private static readonly (string Theirs, string Ours)[] AloneInBlock =
    [
        ("lambda_1", "gamma_1"), ("lambda_2", "gamma_2"),
        ("attention.attention.query.bias", "attn.q_bias"), ("attention.attention.value.bias", "attn.v_bias"),
    ];

    private const string Decoder = "decoder.", TheirDecoderBlocks = "decoder_layers.", OurDecoderBlocks = "decoder_blocks.";

    /// <summary>Whether a set of names is an IJepaModel's or a ViTMAEModel's.</summary>
    public static bool Recognize(IEnumerable<string> names) =>
        names.Any(name => WithoutModel(name) == "embeddings.patch_embeddings.projection.weight");

    /// <summary>Turns an IJepaModel's or a ViTMAEModel's weights into ours.</summary>
    /// <param name="theirs">In either layout, also as a part of a larger model (<c>ijepa.</c> or <c>vit.</c> before each name).</param>
    /// <returns>By our names inside an encoder, or inside MAE's decoder, without prefix; and the names that mean nothing here.</returns>
    public static (IReadOnlyDictionary<string, LazyTensor> Ours, IReadOnlyList<string> Unknown) ToOurs(IReadOnlyDictionary<string, LazyTensor> theirs)
    {
        var ours = new Dictionary<string, LazyTensor>();
        var parts = new Dictionary<string, (string Theirs, LazyTensor Tensor)?[]>();
        var unknown = new List<string>();
        foreach (var (name, tensor) in theirs)
        {
            var (target, projection) = Translate(WithoutModel(name));
            if (target is not null && projection >= 0)
            {
                if (!parts.TryGetValue(target, out var three)) parts.Add(target, three = new (string, LazyTensor)?[3]);
                if (three[projection] is null) three[projection] = (name, tensor);
                else unknown.Add(name);
            }
            else if (target is null || !ours.TryAdd(target, tensor))
            {
                unknown.Add(name);
            }
        }

        foreach (var (target, three) in parts)
        {
            if (Fuse(three) is { } fused) ours[target] = fused;
            else if (three is [var (_, query), null, var (_, value)] && target.EndsWith(".attn.qkv.bias", StringComparison.Ordinal))
                (ours[target[..^8] + "q_bias"], ours[target[..^8] + "v_bias"]) = (query, value); // keys without one, as BEiT's
            else unknown.AddRange(three.Where(part => part is not null).Select(part => part!.Value.Theirs));
        }

        return (ours, unknown);
    }

    /// <summary>Turns an encoder's weights into an IJepaModel's or a ViTMAEModel's.</summary>
    /// <param name="ours">By our names inside an encoder, without prefix.</param>
    /// <exception cref="ArgumentException">A name is not one of an encoder's.</exception>
    public static IReadOnlyList<KeyValuePair<string, LazyTensor>> FromOurs(IEnumerable<KeyValuePair<string, LazyTensor>> ours) =>
        FromOurs(ours, "blocks.", "encoder.layer.", name => Array.Find(Outer, pair => pair.Ours == name).Theirs);

    /// <summary>Turns the weights of MAE's decoder into those of a ViTMAEForPreTraining.</summary>
    /// <param name="ours">By our names inside the decoder, without prefix.</param>
    /// <exception cref="ArgumentException">A name is not one of a decoder's.</exception>
    internal static IReadOnlyList<KeyValuePair<string, LazyTensor>> DecoderFromOurs(IEnumerable<KeyValuePair<string, LazyTensor>> ours) =>
        FromOurs(ours, OurDecoderBlocks, Decoder + TheirDecoderBlocks, name => IsOfDecoder(name) && !IsBlock(name) ? Decoder + name : null);

    private static List<KeyValuePair<string, LazyTensor>> FromOurs(
        IEnumerable<KeyValuePair<string, LazyTensor>> ours, string ourBlocks, string theirBlocks, Func<string, string?> outerOf)
    {
        var theirs = new List<KeyValuePair<string, LazyTensor>>();
        foreach (var (name, tensor) in ours)
        {
            if (outerOf(name) is { } outer)
            {
                theirs.Add(new(outer, tensor));
                continue;
            }

            if (WeightNames.Block(name, ourBlocks) is not { } block)
                throw new ArgumentException($"'{name}' is no weight of such a network.", nameof(ours));
            if (Array.Find(AloneInBlock, row => row.Ours == block.Inner).Theirs is { } alone)
            {
                theirs.Add(new($"{theirBlocks}{block.Index}.{alone}", tensor));
                continue;
            }

            var dot = block.Inner.LastIndexOf('.');
            var (inner, kind) = dot < 0 ? (block.Inner, "") : (block.Inner[..dot], block.Inner[dot..]);
            var prefix = $"{theirBlocks}{block.Index}.";
            if (inner == "attn.qkv")
            {
                var width = tensor.Shape[0] / 3;
                theirs.AddRange(Projections.Select((projection, i) =>
                    KeyValuePair.Create($"{prefix}attention.attention.{projection}{kind}", tensor.Rows(i * width, width))));
            }
            else if (kind is ".weight" or ".bias" && Array.Find(InBlock, row => row.Ours == inner).Theirs is { } their)
            {
                theirs.Add(new(prefix + their + kind, tensor));
            }
            else
            {
                throw new ArgumentException($"'{name}' is no weight of such a network.", nameof(ours));
            }
        }

        return theirs;
    }

    /// <summary>Whether a published name is one of MAE's decoder, which stand beside those of its encoder.</summary>
    internal static bool IsOfDecoder(string name) => name == "mask_token" || name.StartsWith("decoder_", StringComparison.Ordinal);

    private static bool IsBlock(string name) => name.StartsWith(OurDecoderBlocks, StringComparison.Ordinal);

    private static string WithoutModel(string name)
    {
        foreach (var model in (ReadOnlySpan<string>)["ijepa.", "vit.", "data2vec_vision."])
        {
            if (name.StartsWith(model, StringComparison.Ordinal)) return name[model.Length..];
        }

        return name;
    }

    /// <summary>Our name, and 0, 1, 2 for query, key, value or -1; no name if it is unknown.</summary>
    private static (string? Ours, int Projection) Translate(string name)
    {
        if (Array.Find(Outer, pair => pair.Theirs == name).Ours is { } outer) return (outer, -1);
        var decoder = name.StartsWith(Decoder, StringComparison.Ordinal) ? name[Decoder.Length..] : null;
        if (decoder is not null && IsOfDecoder(decoder) && !decoder.StartsWith(TheirDecoderBlocks, StringComparison.Ordinal)) return (decoder, -1);
        var block = decoder is not null ? WeightNames.Block(decoder, TheirDecoderBlocks)
            : WeightNames.Block(name, "encoder.layer.") ?? WeightNames.Block(name, "layers.");
        if (block is not var (index, rest)) return (null, -1);
        if (decoder is null && Array.Find(AloneInBlock[..2], row => row.Theirs == rest).Ours is { } alone) return ($"blocks.{index}.{alone}", -1);
        var dot = rest.LastIndexOf('.');
        if (dot < 0 || rest[dot..] is not (".weight" or ".bias")) return (null, -1);
        var row = Array.FindIndex(InBlock, row => row.Theirs == rest[..dot] || row.Later == rest[..dot]);
        if (row < 0) return (null, -1);
        var ours = InBlock[row].Ours;
        return ($"{(decoder is null ? "blocks." : OurDecoderBlocks)}{index}.{ours}{rest[dot..]}", ours == "attn.qkv" ? row - 1 : -1);
    }

    private static LazyTensor? Fuse((string Theirs, LazyTensor Tensor)?[] three)
    {
        if (three is not [var (_, query), var (_, key), var (_, value)]) return null;
        var alike = query.Shape.Count > 0 && query.Type == key.Type && key.Type == value.Type
            && query.Shape.SequenceEqual(key.Shape) && key.Shape.SequenceEqual(value.Shape);
        return alike ? LazyTensor.Concatenate(query, key, value) : null;
    }
}
