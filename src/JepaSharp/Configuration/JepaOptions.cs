namespace JepaSharp.Configuration;

/// <summary>What I-JEPA predicts. YAML section <c>ijepa</c>. Ours: the published files have no such section.</summary>
public sealed record JepaOptions
{
    /// <summary>What is predicted of a target patch. Representations (paper, section 3; its table 7 compares pixels).</summary>
    public JepaTarget Target { get; init; } = JepaTarget.Representations;

    /// <summary>Where the target encoder's sight is cut to the target. Output (paper, section 3; its table 11 compares the input).</summary>
    public TargetMasking MaskTarget { get; init; } = TargetMasking.Output;

    /// <summary>Weight of VICReg's variance term on the contexts' pooled representations; 0 for none. 0 (C-JEPA: 0.025).</summary>
    public double Variance { get; init; }

    /// <summary>Weight of VICReg's covariance term on the same; 0 for none. 0 (C-JEPA: 0.001).</summary>
    public double Covariance { get; init; }
}

/// <summary>What I-JEPA's predictor predicts of a patch.</summary>
public enum JepaTarget
{
    /// <summary>What the target encoder says of it, layer-normed.</summary>
    Representations,

    /// <summary>Its pixels, normalised in each patch by the layer norm that representations pass.</summary>
    Pixels,

    /// <summary>Its pixels as the encoder is given them.</summary>
    PlainPixels,
}

/// <summary>Where targets are masked.</summary>
public enum TargetMasking
{
    /// <summary>At the target encoder's output: it sees the whole image, and of what it says the target patches are taken.</summary>
    Output,

    /// <summary>At its input: it sees the patches of one target alone, one target after the other.</summary>
    Input,
}
