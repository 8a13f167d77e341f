using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Which of the tokens that an encoder returns is what: the class token's, where it has one, comes first, then the patches'.</summary>
public static class EncodedTokens
{
    /// <summary>What an encoder says of each image in one vector: the class token, where there is one that is learned for it, else the average of the
    /// patches.</summary>
    /// <remarks>I-JEPA paper, section 5: average-pooled patches, since it has no class token; data2vec's is in no loss. A view of the tokens, or
    /// their mean.</remarks>
    /// <param name="tokens">[B, N, D], or [B, N + 1, D] with the class token first.</param>
    /// <param name="shape">The encoder's.</param>
    /// <returns>[B, D].</returns>
    public static Tensor Pooled(Tensor tokens, VisionTransformerShape shape)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(shape);
        return shape.ClassToken && !shape.AveragesBeforeNorm ? tokens.select(1, 0) : Patches(tokens, shape).mean([1L]);
    }

    /// <summary>What it says of the patches, without the class token.</summary>
    /// <param name="tokens">[B, N, D], or [B, N + 1, D] with the class token first.</param>
    /// <param name="shape">The encoder's.</param>
    /// <returns>[B, N, D], a view.</returns>
    public static Tensor Patches(Tensor tokens, VisionTransformerShape shape)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(shape);
        return shape.ClassToken ? tokens.narrow(1, 1, tokens.shape[1] - 1) : tokens.alias();
    }
}
