using JepaSharp.Models;

namespace JepaSharp.Evaluation.Embeddings;

/// <summary>The shape of one image's embedding.</summary>
/// <param name="Patches">N where each patch is kept; null for the average over them.</param>
/// <param name="Width">Numbers of one vector.</param>
internal sealed record EmbeddingLayout(int? Patches, int Width)
{
    /// <summary>Of square images of a size.</summary>
    public static EmbeddingLayout Of(VisionTransformer encoder, EncoderOutput output, int size)
    {
        var side = size / encoder.Shape.PatchSize;
        return new EmbeddingLayout(output.Pooled ? null : side * side, output.WidthOf(encoder));
    }

    /// <summary>Vectors of one image.</summary>
    public int Vectors => Patches ?? 1;

    /// <summary>Numbers of one image.</summary>
    public int Numbers => Vectors * Width;

    /// <summary>Shape of so many images' embeddings.</summary>
    public long[] ShapeOf(long images) => Patches is { } patches ? [images, patches, Width] : [images, Width];
}
