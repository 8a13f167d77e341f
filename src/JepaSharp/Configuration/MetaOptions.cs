using JepaSharp.Runtime;

namespace JepaSharp.Configuration;

/// <summary>The networks, the device and the seed. YAML section <c>meta</c>.</summary>
public sealed record MetaOptions
{
    internal const string ImageJepa = "ijepa", MaskedAutoencoder = "mae", LeJepa = "lejepa", Data2Vec = "data2vec", Dino = "dino", Ibot = "ibot",
        MaskedSiamese = "msn", Distillation = "distill", Rcdm = "rcdm";

    /// <summary>What is learned: <c>ijepa</c>, <c>mae</c>, <c>lejepa</c>, <c>data2vec</c>, <c>dino</c>, <c>ibot</c>, <c>msn</c>, <c>distill</c>
    /// or <c>rcdm</c>. ijepa. Ours.</summary>
    public string Objective { get; init; } = ImageJepa;

    /// <summary>Encoder: one of <see cref="EncoderPreset.All"/>. vit_base.</summary>
    public string ModelName { get; init; } = "vit_base";

    /// <summary>Encoder width D, instead of the model's; null for the model's. Ours.</summary>
    public int? EmbedDim { get; init; }

    /// <summary>Encoder blocks, instead of the model's; null for the model's. Ours.</summary>
    public int? Depth { get; init; }

    /// <summary>Encoder heads A, instead of the model's; null for the model's. Ours.</summary>
    public int? NumHeads { get; init; }

    /// <summary>Width of the MLP over the encoder's, instead of the model's; null for the model's. Ours.</summary>
    public double? MlpRatio { get; init; }

    /// <summary>Predictor blocks. 6 (paper, appendix A.1, for ViT-B/16; 12 for Large and Huge, 16 for Giant).</summary>
    public int PredDepth { get; init; } = 6;

    /// <summary>Predictor width E. 384 (paper, appendix A.1, for every model).</summary>
    public int PredEmbDim { get; init; } = 384;

    /// <summary>Predictor heads; null for as many as the encoder's (the published rule). Ours.</summary>
    public int? PredNumHeads { get; init; }

    /// <summary>bfloat16 for the matrix products, with 32-bit weights. True. See <see cref="ResolvePrecision"/>.</summary>
    public bool UseBfloat16 { get; init; } = true;

    /// <summary>Precision of the matrix products; wins over <see cref="UseBfloat16"/>. Null: that one decides. Ours.</summary>
    public Precision? Precision { get; init; }

    /// <summary>Where to compute: <c>auto</c>, <c>cpu</c>, <c>cuda</c> or <c>cuda:n</c>. auto. Ours.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>The root of everything random: first weights, order, crops, masks. 0 or more; 0. Ours (a constant of the published code).</summary>
    public int Seed { get; init; }

    /// <summary>Accepted for the published files' sake; false, and true is refused: the command line says where to begin.</summary>
    public bool LoadCheckpoint { get; init; }

    /// <summary>Accepted for the published files' sake. Null.</summary>
    public string? ReadCheckpoint { get; init; }

    /// <summary>Copy the data to the machine's own disk first. Accepted for the published files' sake; false, and true is refused.</summary>
    public bool CopyData { get; init; }

    /// <summary><see cref="Precision"/> where it is given; else Auto for <see cref="UseBfloat16"/> and Fp32 without.</summary>
    public Precision ResolvePrecision() => Precision ?? (UseBfloat16 ? Runtime.Precision.Auto : Runtime.Precision.Fp32);
}

/// <summary>An encoder that <c>meta.model_name</c> may name.</summary>
/// <remarks>
/// Widths, depths and heads: Dosovitskiy et al., 2021 (base, large, huge), Touvron et al., 2021 (tiny, small), and the published
/// I-JEPA code (giant: Zhai et al., 2022, with MLP ratio 48/11 and 16 heads).
/// </remarks>
/// <param name="Name">What YAML calls it.</param>
/// <param name="Width">D.</param>
/// <param name="Depth">Blocks.</param>
/// <param name="Heads">A.</param>
/// <param name="MlpRatio">Width of the MLP over D.</param>
public sealed record EncoderPreset(string Name, int Width, int Depth, int Heads, double MlpRatio)
{
    /// <summary>Every preset, smallest first.</summary>
    public static IReadOnlyList<EncoderPreset> All { get; } =
    [
        new("vit_tiny", 192, 12, 3, 4),
        new("vit_small", 384, 12, 6, 4),
        new("vit_base", 768, 12, 12, 4),
        new("vit_large", 1024, 24, 16, 4),
        new("vit_huge", 1280, 32, 16, 4),
        new("vit_giant", 1408, 40, 16, 48.0 / 11),
    ];

    /// <summary>Their names, smallest first.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(preset => preset.Name)];
}
