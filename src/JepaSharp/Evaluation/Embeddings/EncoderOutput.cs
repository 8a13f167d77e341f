using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Embeddings;

/// <summary>Which of an encoder's representations are taken of an image.</summary>
/// <param name="Layers">How many blocks from the last: 1 is the encoder's output; more are put side by side, the last one last.</param>
/// <param name="Pooled">The average over the patches, or the class token where there is one; else each patch by itself.</param>
/// <remarks>Paper, appendix A.2: average-pooled patches of the last layer, or of the last four side by side.</remarks>
public sealed record EncoderOutput(int Layers = 1, bool Pooled = true)
{
    /// <summary>With <see cref="Pooled"/>: the average over the patches even where there is a class token.</summary>
    public bool AveragesPatches { get; init; }

    /// <summary>Whether the last block's representations are taken as they are, without the final norm: MSN's published evaluation does so with class
    /// tokens.</summary>
    public bool IsUnnormed { get; init; }

    /// <summary>With <see cref="Pooled"/>: the class token even where patches are averaged as published
    /// (<see cref="VisionTransformerShape.AveragesBeforeNorm"/>).</summary>
    public bool TakesClassToken { get; init; }

    /// <summary>With <see cref="Pooled"/>: the class token and the average over the patches together.</summary>
    public ClassAndMean Together { get; init; }

    /// <summary>Whether the outputs of blocks before the last go through the encoder's final norm too, as DINO and iBOT take those of the last
    /// four.</summary>
    public bool NormsEach { get; init; }

    /// <summary>Numbers of one vector: <see cref="Layers"/> times the encoder's width, twice that of a class token and an average together.</summary>
    public int WidthOf(VisionTransformer encoder) => Layers * encoder.Shape.Width * (Pooled && Together != ClassAndMean.Apart ? 2 : 1);

    /// <summary>Images [B, C, H, W], normalised -> float32 [B, L D], or [B, N, L D] where patches are kept apart.</summary>
    /// <exception cref="ArgumentException">The encoder has fewer blocks, or the images' sides are not multiples of the patch size.</exception>
    public Tensor Of(VisionTransformer encoder, Tensor images)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        if (Pooled && encoder.Shape.AveragesBeforeNorm && !TakesClassToken && Together == ClassAndMean.Apart)
        {
            // The mean of the patches of each of the last blocks, then a norm without parameters: the final norm is left out.
            int[] last = [.. Enumerable.Range(encoder.Shape.Depth - Layers, Layers)];
            var means = encoder.BlockOutputs(images, last).Select(t => EncodedTokens.Patches(t, encoder.Shape).to(float32).mean([1L]));
            return cat([.. means.Select(m => nn.functional.layer_norm(m, [encoder.Shape.Width], eps: LayerNormalization.Epsilon))], dim: -1)
                .MoveToOuterDisposeScope();
        }

        var tokens = Layers == 1 && !IsUnnormed ? encoder.forward(images) : cat([.. LastOf(encoder, images)], dim: -1);
        tokens = tokens.to(float32);
        if (Pooled && Together != ClassAndMean.Apart)
        {
            var (token, mean) = (tokens.select(1, 0), EncodedTokens.Patches(tokens, encoder.Shape).mean([1L]));
            return (Together == ClassAndMean.Interleaved ? stack([token, mean], dim: -1).flatten(1) : cat([token, mean], dim: -1))
                .MoveToOuterDisposeScope();
        }

        if (Pooled && !AveragesPatches && encoder.Shape.ClassToken) return tokens.select(1, 0).MoveToOuterDisposeScope();
        var patches = EncodedTokens.Patches(tokens, encoder.Shape);
        return (Pooled ? patches.mean([1L]) : patches).MoveToOuterDisposeScope();
    }

    /// <summary>What stands for an image, in words: "class token" or "patches averaged"; null where there is no choice.</summary>
    /// <param name="encoder">The encoder's shape.</param>
    public string? PoolingOf(VisionTransformerShape encoder)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        if (!encoder.ClassToken || !Pooled) return null;
        if (encoder.AveragesBeforeNorm && Together == ClassAndMean.Apart && !TakesClassToken) return "patches averaged before the final norm";
        var normed = IsUnnormed ? " before the last norm" : NormsEach && Layers > 1 ? ", each normed" : "";
        return (Together, AveragesPatches) switch
        {
            (ClassAndMean.SideBySide, _) => "class token, then patches averaged",
            (ClassAndMean.Interleaved, _) => "class token and patches averaged, number by number",
            (_, true) => "patches averaged",
            _ => "class token",
        } + normed;
    }

    /// <summary>Of the last blocks, the last with the final norm unless it is to be left out.</summary>
    private IReadOnlyList<Tensor> LastOf(VisionTransformer encoder, Tensor images) => IsUnnormed
        ? encoder.BlockOutputs(images, [.. Enumerable.Range(encoder.Shape.Depth - Layers, Layers)])
        : encoder.LastBlocks(images, Layers, NormsEach);
}

/// <summary>How a class token c and the average m of the patches make one vector.</summary>
public enum ClassAndMean
{
    /// <summary>They do not: one of them stands for the image.</summary>
    Apart,

    /// <summary>c₀ c₁ ... m₀ m₁ ..., as iBOT's published linear weights are made for.</summary>
    SideBySide,

    /// <summary>c₀ m₀ c₁ m₁ ..., as DINO's published linear weights for ViT-B are made for.</summary>
    Interleaved,
}
