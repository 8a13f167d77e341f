using JepaSharp.Runtime;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Vision Transformer without a class token: patch embedding, fixed sine-cosine positions, pre-norm blocks, final norm.</summary>
/// <remarks>
/// Dosovitskiy et al., 2021; without class token as in the I-JEPA paper, section 3. State-dict names are those of the published code
/// (<c>patch_embed.proj</c>, <c>pos_embed</c>, <c>blocks.N...</c>, <c>norm</c>).
/// </remarks>
public sealed class VisionTransformer : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "patch_embed")] private readonly PatchEmbedding _patchEmbedding;
    [ComponentName(Name = "pos_embed")] private readonly Tensor _positions;
    [ComponentName(Name = "blocks")] private readonly ModuleList<TransformerBlock> _blocks;
    [ComponentName(Name = "norm")] private readonly LayerNormalization _norm;

    /// <summary>Builds an encoder whose weights are not yet set: see <see cref="Initialization"/>.</summary>
    /// <param name="shape">Names and shapes of the weights.</param>
    /// <param name="device">Where the weights live; the meta device for shapes alone. Null: the CPU.</param>
    /// <exception cref="ArgumentException">The shape is inconsistent.</exception>
    public VisionTransformer(VisionTransformerShape shape, Device? device = null)
        : base(nameof(VisionTransformer))
    {
        using var outside = NewDisposeScope();
        device ??= CPU;
        Shape = shape.Validated();
        _patchEmbedding = new PatchEmbedding("patch_embed", shape.Channels, shape.PatchSize, shape.Width, device);
        _positions = Positions.Buffer(shape, shape.Width, device);
        _blocks = new ModuleList<TransformerBlock>(
            [.. Enumerable.Range(0, shape.Depth).Select(i => new TransformerBlock($"{i}", shape.Width, shape.Heads, shape.MlpWidth, device))]);
        _norm = new LayerNormalization("norm", shape.Width, device);
        RegisterComponents();
        Positions.Detach(this, outside);
    }

    /// <summary>Names and shapes of the weights.</summary>
    public VisionTransformerShape Shape { get; }

    /// <summary>Makes the matrix products compute in <paramref name="precision"/> from now on, with copies of the weights as they are now.</summary>
    /// <remarks>For a frozen encoder. Norms and the sum that runs through the blocks stay float32, and so does what comes out.</remarks>
    /// <param name="precision">float32 or bfloat16.</param>
    public void ComputeIn(ScalarType precision)
    {
        foreach (var dense in modules().OfType<Dense>()) dense.ComputeIn(precision);
    }

    /// <summary>Every patch of every image. [B, C, H, W] -> [B, N, D]; H and W may differ from training: positions are interpolated.</summary>
    /// <exception cref="ArgumentException">The images' sides are not multiples of the patch size.</exception>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        RequireWholePatches(images);
        var patches = _patchEmbedding.Patches(images);
        var positions = PositionTable.Interpolate(
            _positions, Shape.GridHeight, Shape.GridWidth, (int)images.shape[2] / Shape.PatchSize, (int)images.shape[3] / Shape.PatchSize);
        return Blocks(_patchEmbedding.forward(patches).Plus(positions)).MoveToOuterDisposeScope();
    }

    /// <summary>The chosen patches alone. [B, C, H, W], M sets of K patches an image -> [M B, K, D].</summary>
    /// <param name="images">Normalised pixels [B, C, H, W] of the training size.</param>
    /// <param name="chosen">Which patches, from the same grid.</param>
    public Tensor Encode(Tensor images, PatchSelection chosen)
    {
        using var scope = NewDisposeScope();
        RequireWholePatches(images);
        // Only the chosen patches are embedded: the others' tokens would be dropped unread.
        var patches = _patchEmbedding.Patches(images).flatten(0, 1).index_select(0, chosen.Rows);
        var tokens = _patchEmbedding.forward(patches).Plus(_positions.select(0, 0).index_select(0, chosen.Patches));
        return Blocks(tokens.view(chosen.Sets * chosen.Images, chosen.PatchesPerSet, Shape.Width)).MoveToOuterDisposeScope();
    }

    /// <summary>The outputs of the last <paramref name="count"/> blocks, the last one with the final norm, the others without; each [B, N, D].</summary>
    public IReadOnlyList<Tensor> LastBlocks(Tensor images, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Shape.Depth);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        using var scope = NewDisposeScope();
        RequireWholePatches(images);
        var positions = PositionTable.Interpolate(
            _positions, Shape.GridHeight, Shape.GridWidth, (int)images.shape[2] / Shape.PatchSize, (int)images.shape[3] / Shape.PatchSize);
        var tokens = _patchEmbedding.forward(_patchEmbedding.Patches(images)).Plus(positions);
        var kept = new List<Tensor>();
        for (var i = 0; i < Shape.Depth; i++)
        {
            tokens = _blocks[i].forward(tokens);
            if (i == Shape.Depth - 1) tokens = _norm.forward(tokens);
            if (i >= Shape.Depth - count) kept.Add(tokens.MoveToOuterDisposeScope());
        }

        return kept;
    }

    private Tensor Blocks(Tensor tokens)
    {
        foreach (var block in _blocks) tokens = block.forward(tokens);
        return _norm.forward(tokens);
    }

    private void RequireWholePatches(Tensor images)
    {
        var s = images.shape;
        if (s.Length != 4 || s[1] != Shape.Channels || s[2] % Shape.PatchSize != 0 || s[3] % Shape.PatchSize != 0 || s[2] == 0 || s[3] == 0)
            throw new ArgumentException(
                $"Images of shape [{string.Join(", ", s)}] do not fit: expected [B, {Shape.Channels}, H, W] with H and W multiples of {Shape.PatchSize}.", nameof(images));
    }
}
