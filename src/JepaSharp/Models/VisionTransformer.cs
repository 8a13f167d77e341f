using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Vision Transformer: patch embedding, positions, pre-norm blocks, final norm; with a class token or without.</summary>
/// <remarks>
/// Dosovitskiy et al., 2021; by default without class token and with fixed sine-cosine positions, as in the I-JEPA paper, section 3. State-dict names
/// are those of the published code, of timm and of MAE (<c>cls_token</c> [1, 1, D], <c>pos_embed</c> [1, N, D], or [1, N + 1, D] with the class
/// token's row first, <c>patch_embed.proj</c>, <c>blocks.N...</c>, <c>norm</c>), and of BEiT and data2vec (<c>mask_token</c> [1, 1, D],
/// <c>rel_pos_bias.relative_position_bias_table</c>, <c>blocks.N.gamma_1</c>, <c>blocks.N.attn.q_bias</c>).
/// </remarks>
public sealed partial class VisionTransformer : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "cls_token")] private readonly Parameter? _classToken;
    [ComponentName(Name = "mask_token")] private readonly Parameter? _maskToken;
    [ComponentName(Name = "patch_embed")] private readonly PatchEmbedding _patchEmbedding;
    [ComponentName(Name = "pos_embed")] private readonly Tensor? _positions;
    [ComponentName(Name = "rel_pos_bias")] private readonly RelativePositionBias? _relative;
    [ComponentName(Name = "blocks")] private readonly BlockStack _blocks;
    [ComponentName(Name = "norm")] private readonly LayerNormalization _norm;
    private AttachedKernels? _kernels;

    static VisionTransformer() => NativeLibtorch.Load();

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
        if (shape.ClassToken) _classToken = new Parameter(empty([1, 1, shape.Width], float32, device));
        if (shape.MaskToken) _maskToken = new Parameter(empty([1, 1, shape.Width], float32, device));
        if (shape.AbsolutePositions)
            _positions = shape.LearnedPositions
                ? new Parameter(empty([1, shape.Tokens, shape.Width], float32, device))
                : Positions.Buffer(shape, shape.Width, device, shape.ClassToken);
        if (shape.RelativePositions) _relative = new RelativePositionBias("rel_pos_bias", shape, device);
        var parts = new BlockParts(shape.LayerScale, shape.KeyBias);
        _blocks = new BlockStack(shape.Depth, shape.Width, shape.Heads, shape.MlpWidth, device, parts) { Relative = _relative };
        _norm = new LayerNormalization("norm", shape.Width, device);
        RegisterComponents();
        Positions.Detach(this, outside);
    }

    /// <summary>Names and shapes of the weights.</summary>
    public VisionTransformerShape Shape { get; }

    /// <summary>Makes the matrix products compute so from now on, with copies of the weights as they are now.</summary>
    /// <remarks>For a frozen encoder. Norms and the sum that runs through the blocks stay float32, and so does what comes out.</remarks>
    /// <param name="computation">What <see cref="ComputationChoice"/> has measured as fastest; or float32 or bfloat16 alone.</param>
    public void ComputeIn(Computation computation)
    {
        _kernels?.Dispose();
        _kernels = AttachedKernels.To(this, new KernelUse(computation, Trained: false, WeightsChange: false));
        foreach (var dense in modules().OfType<Dense>()) dense.ComputeIn(_kernels.Serves(dense) ? ScalarType.Float32 : computation.Precision);
    }

    /// <summary>
    /// Every patch of every image. [B, C, H, W] -> [B, N, D], or [B, N + 1, D] with the class token first; H and W may differ from training:
    /// positions are interpolated.
    /// </summary>
    /// <exception cref="ArgumentException">The images' sides are not multiples of the patch size.</exception>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return _norm.forward(_blocks.Forward(Tokens(images), BiasFor(images))).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// What the class token says of every image, after the final norm: what the other tokens would say is not computed to the end. [B, C, H, W] ->
    /// [B, D]; H and W may differ from training.
    /// </summary>
    /// <param name="images">Normalised pixels.</param>
    /// <exception cref="InvalidOperationException">The encoder has no class token.</exception>
    /// <exception cref="ArgumentException">The images' sides are not multiples of the patch size.</exception>
    public Tensor EncodeClass(Tensor images)
    {
        if (_classToken is null) throw new InvalidOperationException("This encoder has no class token: see VisionTransformerShape.ClassToken.");
        using var scope = NewDisposeScope();
        var tokens = Tokens(images);
        int[][] first = [.. Enumerable.Repeat<int[]>([0], (int)tokens.shape[0])];
        return _norm.forward(_blocks.Forward(tokens, first, BiasFor(images))).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The same of images of which the encoder sees the chosen patches alone, beside the class token. [B, C, H, W], one set of K patches an image ->
    /// [B, D].
    /// </summary>
    /// <param name="images">Normalised pixels [B, C, H, W] of the training size.</param>
    /// <param name="chosen">Which patches, from the same grid.</param>
    /// <exception cref="InvalidOperationException">The encoder has no class token.</exception>
    public Tensor EncodeClass(Tensor images, PatchSelection chosen)
    {
        if (_classToken is null) throw new InvalidOperationException("This encoder has no class token: see VisionTransformerShape.ClassToken.");
        using var scope = NewDisposeScope();
        var tokens = ChosenTokens(images, chosen);
        return _norm.forward(_blocks.Forward(tokens, [.. Enumerable.Repeat<int[]>([0], (int)tokens.shape[0])])).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The whole image is encoded, and of its patches' representations the chosen are returned, without the class token. [B, C, H, W] -> [M B, K,
    /// D].
    /// </summary>
    /// <param name="images">Normalised pixels [B, C, H, W] of the training size.</param>
    /// <param name="chosen">M sets of K patches an image, from the same grid. What no set holds is not computed to the end.</param>
    public Tensor EncodeWhole(Tensor images, PatchSelection chosen)
    {
        using var scope = NewDisposeScope();
        RequireWholePatches(images);
        chosen.RequireGridOf(images, Shape.PatchSize);
        var union = _classToken is null ? chosen.Union : [.. chosen.Union.Select(patches => Array.ConvertAll(patches, p => p + 1))];
        var outputs = _blocks.Forward(Tokens(images), union, BiasFor(images));
        var rows = _norm.Choose(outputs, chosen.RowsInUnion);
        return rows.view(chosen.Sets * chosen.Images, chosen.PatchesPerSet, Shape.Width).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The chosen patches alone, after the class token where there is one. [B, C, H, W], M sets of K patches an image -> [M B, K, D], or [M B, K +
    /// 1, D] with the class token first.
    /// </summary>
    /// <param name="images">Normalised pixels [B, C, H, W] of the training size.</param>
    /// <param name="chosen">Which patches, from the same grid.</param>
    /// <exception cref="InvalidOperationException">Positions are not absolute: relative ones are those of a whole grid.</exception>
    public Tensor Encode(Tensor images, PatchSelection chosen)
    {
        using var scope = NewDisposeScope();
        return _norm.forward(_blocks.Forward(ChosenTokens(images, chosen))).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The outputs of the last <paramref name="count"/> blocks, the last one with the final norm, the others without; each [B, N, D], or [B, N + 1,
    /// D] with the class token first.
    /// </summary>
    /// <param name="images">Normalised pixels [B, C, H, W].</param>
    /// <param name="count">Blocks.</param>
    /// <param name="normsEach">Whether the others go through the final norm as well.</param>
    public IReadOnlyList<Tensor> LastBlocks(Tensor images, int count, bool normsEach = false)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Shape.Depth);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        using var scope = NewDisposeScope();
        var (tokens, bias) = (Tokens(images), BiasFor(images));
        var kept = new List<Tensor>();
        var at = 0;
        for (var end = Shape.Depth - count + 1; end <= Shape.Depth; at = end++)
        {
            tokens = _blocks.Forward(tokens, at, end, bias);
            kept.Add((end == Shape.Depth || normsEach ? _norm.forward(tokens) : tokens).MoveToOuterDisposeScope());
        }

        return kept;
    }

    /// <summary>Leaves branches of blocks out in passes that want gradients, until disposed of: stochastic depth, for the loss of a network in
    /// training.</summary>
    /// <param name="rate">Chance of leaving a branch of the last block out, in [0, 1); it rises linearly from 0 in the first. 0: nothing
    /// changes.</param>
    /// <param name="random">Draws what is left out, for one pass after the other: <c>step.Random()</c> with an item that nothing else is drawn
    /// for.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is not in [0, 1).</exception>
    public StochasticDepth DropPaths(double rate, RandomStream random) => new(_blocks, rate, random);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _kernels?.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>
    /// Every patch's token, with its position, after the class token where there is one. [B, C, H, W] -> [B, N, D] or [B, N + 1, D].
    /// </summary>
    /// <param name="images">Normalised pixels.</param>
    /// <param name="mask">Which patches are hidden, bool [B, N], and what stands in their place, [1, D]; null for none.</param>
    private Tensor Tokens(Tensor images, (Tensor Hidden, Tensor Token)? mask = null)
    {
        using var scope = NewDisposeScope();
        RequireWholePatches(images);
        var (rows, columns) = GridOf(images);
        var table = _positions is null ? null : PositionTable.Resize(_positions, Shape, rows, columns);
        var positions = table is null || _classToken is null ? table : table.narrow(1, 1, table.shape[1] - 1);
        var tokens = mask is var (hidden, token)
            ? _patchEmbedding.Tokens(images, positions, hidden, token)
            : _patchEmbedding.Tokens(images, positions);
        return AfterClassToken(tokens).MoveToOuterDisposeScope();
    }

    /// <summary>The chosen patches' tokens, with their positions, after the class token where there is one. -> [M B, K, D] or [M B, K + 1,
    /// D].</summary>
    private Tensor ChosenTokens(Tensor images, PatchSelection chosen)
    {
        using var scope = NewDisposeScope();
        RequireWholePatches(images);
        if (_relative is not null || _positions is null)
            throw new InvalidOperationException("Chosen patches alone need absolute positions: see VisionTransformerShape.AbsolutePositions.");
        var positions = _classToken is null ? _positions : _positions.narrow(1, 1, Shape.Patches);
        chosen.RequireGridOf(positions);
        chosen.RequireGridOf(images, Shape.PatchSize);
        var tokens = _patchEmbedding.Tokens(images, positions, chosen).view(chosen.Sets * chosen.Images, chosen.PatchesPerSet, Shape.Width);
        return AfterClassToken(tokens).MoveToOuterDisposeScope();
    }

    /// <summary>The class token, with its position, before others. [S, N, D] -> [S, N + 1, D]; as they are where there is none.</summary>
    private Tensor AfterClassToken(Tensor tokens)
    {
        if (_classToken is null) return tokens;
        using var scope = NewDisposeScope();
        var token = _positions is null ? _classToken : _classToken.Add(_positions.narrow(1, 0, 1));
        return cat([token.expand(tokens.shape[0], 1, Shape.Width), tokens], dim: 1).MoveToOuterDisposeScope();
    }

    /// <summary>Relative positions of another grid than the blocks' own; null where there are none or the grid is theirs.</summary>
    private Tensor? BiasFor(Tensor images)
    {
        var (rows, columns) = GridOf(images);
        return _relative?.BiasOnOtherGrid(rows, columns);
    }

    private (int Rows, int Columns) GridOf(Tensor images) => ((int)images.shape[2] / Shape.PatchSize, (int)images.shape[3] / Shape.PatchSize);

    private void RequireWholePatches(Tensor images)
    {
        var s = images.shape;
        if (s.Length != 4 || s[1] != Shape.Channels || s[2] % Shape.PatchSize != 0 || s[3] % Shape.PatchSize != 0 || s[2] == 0 || s[3] == 0)
            throw new ArgumentException(
                $"Images of shape [{string.Join(", ", s)}] do not fit: expected [B, {Shape.Channels}, H, W] with H and W multiples of "
                    + $"{Shape.PatchSize}.", nameof(images));
    }
}
