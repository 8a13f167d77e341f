using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <content>Masked patches, and what single blocks say: as masked image models with a teacher want it (BEiT, data2vec, iBOT).</content>
public sealed partial class VisionTransformer
{
    /// <summary>The whole image with the mask token in place of masked patches: nothing is left out. [B, C, H, W] -> [B, N, D], or [B, N + 1, D] with
    /// the class token first.</summary>
    /// <param name="images">Normalised pixels [B, C, H, W] of the training size.</param>
    /// <param name="masked">bool [B, N]: true where a patch is masked.</param>
    /// <exception cref="InvalidOperationException">The encoder has no mask token.</exception>
    /// <exception cref="ArgumentException">The mask is of another batch or grid.</exception>
    public Tensor EncodeMasked(Tensor images, Tensor masked)
    {
        using var scope = NewDisposeScope();
        return _norm.forward(_blocks.Forward(MaskedTokens(images, masked), BiasFor(images))).MoveToOuterDisposeScope();
    }

    /// <summary>The same with a token from outside, for encoders that have none.</summary>
    /// <param name="images">Normalised pixels [B, C, H, W].</param>
    /// <param name="masked">bool [B, N]: true where a patch is masked.</param>
    /// <param name="token">float32 [1, D]: stands in the place of masked patches' embeddings, before their positions are added.</param>
    /// <exception cref="ArgumentException">The images' sides are not multiples of the patch size.</exception>
    public Tensor EncodeMasked(Tensor images, Tensor masked, Tensor token)
    {
        using var scope = NewDisposeScope();
        return _norm.forward(_blocks.Forward(Tokens(images, (masked, token)), BiasFor(images))).MoveToOuterDisposeScope();
    }

    /// <summary>The same, and of the outputs those of chosen patches alone. [B, C, H, W] -> [M, D], image by image.</summary>
    /// <param name="images">Normalised pixels [B, C, H, W] of the training size.</param>
    /// <param name="masked">bool [B, N]: true where a patch is masked.</param>
    /// <param name="chosen">For each image the patches whose outputs are wanted, ascending; M in all. Others' are not computed to the end.</param>
    /// <exception cref="InvalidOperationException">The encoder has no mask token.</exception>
    /// <exception cref="ArgumentException">The mask is of another batch or grid.</exception>
    public Tensor EncodeMasked(Tensor images, Tensor masked, IReadOnlyList<int[]> chosen)
    {
        ArgumentNullException.ThrowIfNull(chosen);
        using var scope = NewDisposeScope();
        var places = _classToken is null ? chosen : [.. chosen.Select(patches => Array.ConvertAll(patches, p => p + 1))];
        return _norm.forward(_blocks.Forward(MaskedTokens(images, masked), places, BiasFor(images))).MoveToOuterDisposeScope();
    }

    /// <summary>What blocks put out, without the final norm. [B, C, H, W] -> for each [B, N, D], or [B, N + 1, D] with the class token
    /// first.</summary>
    /// <param name="images">Normalised pixels.</param>
    /// <param name="blocks">Which, from 0, ascending.</param>
    /// <param name="branch">What the block's MLP adds alone, rather than the block's output.</param>
    public IReadOnlyList<Tensor> BlockOutputs(Tensor images, IReadOnlyList<int> blocks, bool branch = false)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        if (blocks.Count == 0 || blocks[0] < 0 || blocks[^1] >= Shape.Depth || blocks.Zip(blocks.Skip(1)).Any(pair => pair.First >= pair.Second))
            throw new ArgumentException($"Blocks {string.Join(", ", blocks)} of {Shape.Depth}: expected ascending numbers from 0.", nameof(blocks));
        using var scope = NewDisposeScope();
        var (tokens, bias) = (Tokens(images), BiasFor(images));
        if (branch) return [.. _blocks.MlpBranches(tokens, blocks, bias).Select(b => b.MoveToOuterDisposeScope())];
        var (outputs, at) = (new List<Tensor>(), 0);
        foreach (var block in blocks)
        {
            tokens = _blocks.Forward(tokens, at, block + 1, bias);
            at = block + 1;
            outputs.Add(tokens.alias().MoveToOuterDisposeScope());
        }

        return outputs;
    }

    /// <summary>Where relative positions are read from; null where there are none.</summary>
    internal RelativePositionBias? Relative => _relative;

    private Tensor MaskedTokens(Tensor images, Tensor masked)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(masked);
        if (_maskToken is null) throw new InvalidOperationException("This encoder has no mask token: see VisionTransformerShape.MaskToken.");
        RequireWholePatches(images);
        var (rows, columns) = GridOf(images);
        if (masked.dtype != ScalarType.Bool || masked.shape is not [var batch, var patches] || batch != images.shape[0] || patches != rows * columns)
            throw new ArgumentException(
                $"A mask of type {masked.dtype} and shape [{string.Join(", ", masked.shape)}] for images of shape "
                    + $"[{string.Join(", ", images.shape)}]: expected bool [{images.shape[0]}, {rows * columns}].", nameof(masked));
        return Tokens(images, (masked, _maskToken.view(1, Shape.Width)));
    }
}
