namespace JepaSharp.Configuration;

/// <summary>RCDM: a diffusion model that draws what frozen networks say of an image. YAML section <c>rcdm</c>, read where <c>meta.objective</c> is
/// rcdm. Ours; names in brackets are the published code's.</summary>
/// <remarks>The defaults are for 32 pixels on two cores. The published recipe: predicts noise, learn_sigma true, average 0.9999 without
/// average_warmup, size 128, channels 256, multipliers 1,1,2,3,4, blocks 2, attention 32,16,8, sampler 100.</remarks>
public sealed record RcdmSection
{
    /// <summary>The frozen networks: anything that <c>--weights</c> reads and that holds I-JEPA's three networks. Null: none, which is
    /// refused.</summary>
    public string? Weights { get; init; }

    /// <summary>Attention heads of the encoder, where neither its file nor its width tells. Null.</summary>
    public int? Heads { get; init; }

    /// <summary>Which representation is drawn. What the predictor says of a target block, averaged.</summary>
    public DecodedRepresentation Represents { get; init; } = DecodedRepresentation.Predictor;

    /// <summary>What is drawn: the target block, or the whole image. The block.</summary>
    public DecodedArea Decode { get; init; } = DecodedArea.Block;

    /// <summary>Side of what is drawn, in pixels (<c>image_size</c>). 32.</summary>
    public int Size { get; init; } = 32;

    /// <summary>C: channels (<c>num_channels</c>), a multiple of 32. 32.</summary>
    public int Channels { get; init; } = 32;

    /// <summary>Channels of each level over C (<c>channel_mult</c>). 1,2,2.</summary>
    public string Multipliers { get; init; } = "1,2,2";

    /// <summary>Residual blocks of a level (<c>num_res_blocks</c>). 1.</summary>
    public int Blocks { get; init; } = 1;

    /// <summary>Sides of the levels that attend (<c>attention_resolutions</c>); empty for none but the middle. 8.</summary>
    public string Attention { get; init; } = "8";

    /// <summary>Attention heads of the decoder (<c>num_heads</c>). 4.</summary>
    public int DecoderHeads { get; init; } = 4;

    /// <summary>Channels of a head, in place of a number of heads (<c>num_head_channels</c>); null for that. Null.</summary>
    public int? HeadWidth { get; init; }

    /// <summary>Share of a block's numbers that is dropped in training (<c>dropout</c>). 0.</summary>
    public double Dropout { get; init; }

    /// <summary>What the network predicts (<c>predict_xstart</c>): noise as published, or the clean image. The image.</summary>
    public DiffusionTarget Predicts { get; init; } = DiffusionTarget.Image;

    /// <summary>Learn the variance of a step back, too (<c>learn_sigma</c>). False.</summary>
    public bool LearnSigma { get; init; }

    /// <summary>How noise rises from step to step (<c>noise_schedule</c>). Linear.</summary>
    public NoiseKind Noise { get; init; } = NoiseKind.Linear;

    /// <summary>T: steps of noise (<c>diffusion_steps</c>). 1000.</summary>
    public int Steps { get; init; } = 1000;

    /// <summary>Momentum of the average that pictures are drawn with (<c>ema_rate</c>). 0.999.</summary>
    public double Average { get; init; } = 0.999;

    /// <summary>Let the average follow faster at first: its momentum is at most (1 + k) / (10 + k) after k steps. True.</summary>
    public bool AverageWarmup { get; init; } = true;

    /// <summary>Steps that pictures are drawn in: ddimN for DDIM, a number for ancestral sampling (<c>timestep_respacing</c>). ddim25.</summary>
    public string Sampler { get; init; } = "ddim25";
}

/// <summary>What a diffusion network predicts. In YAML: noise, image.</summary>
public enum DiffusionTarget
{
    /// <summary>The noise (Ho et al., 2020; RCDM).</summary>
    Noise,

    /// <summary>The image without it.</summary>
    Image,
}

/// <summary>How noise rises from step to step. In YAML: linear, cosine.</summary>
public enum NoiseKind
{
    /// <summary>β rises linearly (Ho et al., 2020; RCDM).</summary>
    Linear,

    /// <summary>ᾱ falls along a squared cosine (Nichol and Dhariwal, 2021).</summary>
    Cosine,
}

/// <summary>Whose representation is drawn. In YAML: predictor, target, context.</summary>
public enum DecodedRepresentation
{
    /// <summary>What the predictor says of a target block's patches, averaged (I-JEPA, section 8).</summary>
    Predictor,

    /// <summary>What the target encoder says of the same patches, layer-normed as the predictor's targets are, averaged.</summary>
    Target,

    /// <summary>What the context encoder says of the patches that it sees, averaged.</summary>
    Context,
}

/// <summary>What is drawn. In YAML: block, image.</summary>
public enum DecodedArea
{
    /// <summary>The target block.</summary>
    Block,

    /// <summary>The whole image.</summary>
    Image,
}
