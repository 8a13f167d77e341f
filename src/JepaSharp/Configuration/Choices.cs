namespace JepaSharp.Configuration;

/// <summary>How a crop is resized, always with antialiasing. In YAML: bilinear, bicubic.</summary>
public enum Interpolation
{
    /// <summary>Triangle filter.</summary>
    Bilinear,

    /// <summary>Cubic filter with a = -0.5, as Pillow's.</summary>
    Bicubic,
}

/// <summary>What an unreadable image does to a run. In YAML: skip, fail.</summary>
public enum UnreadableImages
{
    /// <summary>It is skipped, counted and listed; too many of them still stop the run.</summary>
    Skip,

    /// <summary>It stops the run.</summary>
    Fail,
}

/// <summary>Whose masks. In YAML: paper, reference.</summary>
public enum MaskCompatibility
{
    /// <summary>The distribution that the paper describes.</summary>
    Paper,

    /// <summary>The published code's, which never masks the last row and column, among other things.</summary>
    Reference,
}

/// <summary>Precision of the matrix products; weights and averages are always 32-bit. In YAML: auto, fp32, bf16.</summary>
public enum Precision
{
    /// <summary>bfloat16 where the device is fast at it, else 32-bit.</summary>
    Auto,

    /// <summary>32-bit floating point.</summary>
    Fp32,

    /// <summary>bfloat16.</summary>
    Bf16,
}

/// <summary>Distance between predicted and target features. In YAML: smooth_l1, l2.</summary>
public enum LossKind
{
    /// <summary>Half the square below 1, the absolute difference less one half above.</summary>
    SmoothL1,

    /// <summary>The square.</summary>
    L2,
}
