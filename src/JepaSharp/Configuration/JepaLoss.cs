namespace JepaSharp.Configuration;

/// <summary>The distance between a prediction and its target. In YAML: smooth_l1, l2.</summary>
public enum JepaLoss
{
    /// <summary>Smooth L1 with β = 1, the published code's choice: half the square below 1, the absolute difference less one half above.</summary>
    SmoothL1,

    /// <summary>Mean squared error, as the paper's text has it (section 3).</summary>
    L2,
}
