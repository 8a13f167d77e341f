using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Embeddings;

/// <summary>Which of an encoder's representations are taken of an image.</summary>
/// <param name="Layers">How many blocks from the last: 1 is the encoder's output; more are put side by side, the last one last.</param>
/// <param name="Pooled">The average over the patches, or each patch by itself.</param>
/// <remarks>Paper, appendix A.2: average-pooled patches of the last layer, or of the last four side by side.</remarks>
public sealed record EncoderOutput(int Layers = 1, bool Pooled = true)
{
    /// <summary>Numbers of one vector: <see cref="Layers"/> times the encoder's width.</summary>
    public int WidthOf(VisionTransformer encoder) => Layers * encoder.Shape.Width;

    /// <summary>Images [B, C, H, W], normalised -> float32 [B, L D], or [B, N, L D] where patches are kept apart.</summary>
    /// <exception cref="ArgumentException">The encoder has fewer blocks, or the images' sides are not multiples of the patch size.</exception>
    public Tensor Of(VisionTransformer encoder, Tensor images)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var patches = Layers == 1 ? encoder.forward(images) : cat([.. encoder.LastBlocks(images, Layers)], dim: -1);
        patches = patches.to(float32);
        return (Pooled ? patches.mean([1]) : patches.alias()).MoveToOuterDisposeScope();
    }
}
