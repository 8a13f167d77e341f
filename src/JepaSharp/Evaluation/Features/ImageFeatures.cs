using JepaSharp.Data;

namespace JepaSharp.Evaluation.Features;

/// <summary>A fixed map from images to vectors: a frozen encoder, or the pixels themselves. The same image always gives the same vector.</summary>
public abstract class ImageFeatures
{
    /// <summary>What a person would call it: "target encoder".</summary>
    public abstract string Name { get; }

    /// <summary>D, numbers an image.</summary>
    public abstract int Width { get; }

    /// <summary>Everything but the images that the numbers depend on, as a text: equal texts mean equal numbers.</summary>
    public abstract string Identity { get; }

    /// <summary>float32 [B, D] row-major.</summary>
    /// <param name="batch">uint8 [B, H, W, 3].</param>
    public abstract float[] Of(ImageBatch batch);
}
