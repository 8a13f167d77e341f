namespace JepaSharp.Evaluation.Tasks;

/// <summary>What features are, beside what they are called.</summary>
public enum FeatureKind
{
    /// <summary>The encoder's that is evaluated: the only ones that can count.</summary>
    Encoder,

    /// <summary>Those of an encoder of the same shape that learned nothing.</summary>
    Untrained,

    /// <summary>The pixels themselves.</summary>
    Pixels,

    /// <summary>The encoder's and the pixels, side by side.</summary>
    EncoderWithPixels,

    /// <summary>None at all, as for the commonest class.</summary>
    Nothing,
}
