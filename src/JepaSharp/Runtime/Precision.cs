namespace JepaSharp.Runtime;

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
