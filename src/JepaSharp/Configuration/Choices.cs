namespace JepaSharp.Configuration;

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

/// <summary>The distance between a prediction and its target. In YAML: smooth_l1, l2.</summary>
public enum JepaLoss
{
    /// <summary>Smooth L1 with β = 1, the published code's choice: half the square below 1, the absolute difference less one half above.</summary>
    SmoothL1,

    /// <summary>Mean squared error, as the paper's text has it (section 3).</summary>
    L2,
}
