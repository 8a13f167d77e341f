namespace JepaSharp.Weights;

/// <summary>The three networks of the method.</summary>
[Flags]
public enum Networks
{
    /// <summary>None of them.</summary>
    None = 0,

    /// <summary>The context encoder, trained by gradients: names <c>encoder.*</c>.</summary>
    ContextEncoder = 1,

    /// <summary>The predictor: names <c>predictor.*</c>.</summary>
    Predictor = 2,

    /// <summary>The target encoder, the moving average of the context encoder: names <c>target_encoder.*</c>.</summary>
    TargetEncoder = 4,

    /// <summary>All three.</summary>
    All = ContextEncoder | Predictor | TargetEncoder,
}
