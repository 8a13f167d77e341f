namespace JepaSharp.Configuration;

/// <summary>MAE: how much it hides, and its decoder. YAML section <c>mae</c>, read where <c>meta.objective</c> is mae. Ours.</summary>
/// <remarks>Numbers are those of He et al., CVPR 2022, and of the published command; what it sets beside this section:
/// <see cref="ObjectiveDefaults"/>.</remarks>
public sealed record MaskedAutoencoderSection
{
    /// <summary>Share of an image's patches that the encoder does not see, in (0, 1): of N patches floor(N (1 - ratio)) are left. 0.75.</summary>
    public double MaskRatio { get; init; } = 0.75;

    /// <summary>Blocks of the decoder. 8.</summary>
    public int DecoderDepth { get; init; } = 8;

    /// <summary>Width of the decoder. 512.</summary>
    public int DecoderWidth { get; init; } = 512;

    /// <summary>Attention heads of the decoder. 16.</summary>
    public int DecoderHeads { get; init; } = 16;

    /// <summary>Predict each patch's pixels less their mean and over their deviation. True (the published command; the code's own default is
    /// false).</summary>
    public bool NormPix { get; init; } = true;
}
