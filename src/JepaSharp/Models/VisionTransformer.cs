using JepaSharp.Models.Accelerated;
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
public sealed class VisionTransformer : nn.Module<Tensor, Tensor>, IAcceleratedNetwork
{
    [ComponentName(Name = "patch_embed")] private readonly PatchEmbedding _patchEmbedding;
    [ComponentName(Name = "pos_embed")] private readonly Tensor _positions;
    [ComponentName(Name = "blocks")] private readonly ModuleList<TransformerBlock> _blocks;
    [ComponentName(Name = "norm")] private readonly LayerNormalization _norm;
    private readonly BlockStack _stack;

    static VisionTransformer() => NativeEngine.Load();

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
        _stack = new BlockStack(_blocks, shape.Width, shape.Heads);
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
        var accelerated = ((IAcceleratedNetwork)this).Accelerate(new KernelUse(precision, Trained: false, WeightsChange: false, Checkpoint: false));
        foreach (var dense in modules().OfType<Dense>()) dense.ComputeIn(accelerated ? ScalarType.Float32 : precision);
    }

    /// <inheritdoc/>
    bool IAcceleratedNetwork.Accelerate(KernelUse use)
    {
        if (!BlockStack.CanAccelerate(Shape.Width, Shape.Heads, use.Precision, _positions.device_type) || !modules().OfType<Dense>().All(AcceleratedDense.Fits)) return false;
        _stack.Accelerate(use, keepPanels: !use.WeightsChange);
        _patchEmbedding.Projection.Accelerate(new AcceleratedDense(_patchEmbedding.Projection, use.Precision, use.Trained));
        _norm.Accelerate(new AcceleratedNorm(_norm, use.Trained));
        return true;
    }

    /// <inheritdoc/>
    void IAcceleratedNetwork.RefreshKernels()
    {
        _stack.Refresh();
        _patchEmbedding.Projection.RefreshAccelerated();
    }

    /// <inheritdoc/>
    void IAcceleratedNetwork.ReleaseKernels()
    {
        _stack.Release();
        _patchEmbedding.Projection.Accelerate(null);
        _norm.Accelerate(null);
    }

    /// <summary>Every patch of every image. [B, C, H, W] -> [B, N, D]; H and W may differ from training: positions are interpolated.</summary>
    /// <exception cref="ArgumentException">The images' sides are not multiples of the patch size.</exception>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return _norm.forward(_stack.Forward(Tokens(images))).MoveToOuterDisposeScope();
    }

    /// <summary>The whole image is encoded, and of its patches' representations the chosen are returned. [B, C, H, W] -> [M B, K, D].</summary>
    /// <param name="images">Normalised pixels [B, C, H, W] of the training size.</param>
    /// <param name="chosen">M sets of K patches an image, from the same grid. What no set holds is not computed to the end.</param>
    public Tensor EncodeWhole(Tensor images, PatchSelection chosen)
    {
        using var scope = NewDisposeScope();
        RequireWholePatches(images);
        chosen.RequireGridOf(images, Shape.PatchSize);
        return _norm.Choose(_stack.Forward(Tokens(images), chosen.Union), chosen.RowsInUnion).view(chosen.Sets * chosen.Images, chosen.PatchesPerSet, Shape.Width).MoveToOuterDisposeScope();
    }

    /// <summary>The chosen patches alone. [B, C, H, W], M sets of K patches an image -> [M B, K, D].</summary>
    /// <param name="images">Normalised pixels [B, C, H, W] of the training size.</param>
    /// <param name="chosen">Which patches, from the same grid.</param>
    public Tensor Encode(Tensor images, PatchSelection chosen)
    {
        using var scope = NewDisposeScope();
        RequireWholePatches(images);
        chosen.RequireGridOf(_positions);
        chosen.RequireGridOf(images, Shape.PatchSize);
        var tokens = _patchEmbedding.Tokens(images, _positions, chosen);
        return _norm.forward(_stack.Forward(tokens.view(chosen.Sets * chosen.Images, chosen.PatchesPerSet, Shape.Width))).MoveToOuterDisposeScope();
    }

    /// <summary>The outputs of the last <paramref name="count"/> blocks, the last one with the final norm, the others without; each [B, N, D].</summary>
    public IReadOnlyList<Tensor> LastBlocks(Tensor images, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Shape.Depth);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        using var scope = NewDisposeScope();
        var tokens = Tokens(images);
        var kept = new List<Tensor>();
        var at = 0;
        for (var end = Shape.Depth - count + 1; end <= Shape.Depth; at = end++)
        {
            tokens = _stack.Forward(tokens, at, end);
            kept.Add((end == Shape.Depth ? _norm.forward(tokens) : tokens).MoveToOuterDisposeScope());
        }

        return kept;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _stack.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Every patch's token, with its position. [B, C, H, W] -> [B, N, D].</summary>
    private Tensor Tokens(Tensor images)
    {
        using var scope = NewDisposeScope();
        RequireWholePatches(images);
        var positions = PositionTable.Interpolate(
            _positions, Shape.GridHeight, Shape.GridWidth, (int)images.shape[2] / Shape.PatchSize, (int)images.shape[3] / Shape.PatchSize);
        return _patchEmbedding.Tokens(images, positions).MoveToOuterDisposeScope();
    }

    private void RequireWholePatches(Tensor images)
    {
        var s = images.shape;
        if (s.Length != 4 || s[1] != Shape.Channels || s[2] % Shape.PatchSize != 0 || s[3] % Shape.PatchSize != 0 || s[2] == 0 || s[3] == 0)
            throw new ArgumentException(
                $"Images of shape [{string.Join(", ", s)}] do not fit: expected [B, {Shape.Channels}, H, W] with H and W multiples of {Shape.PatchSize}.", nameof(images));
    }
}
