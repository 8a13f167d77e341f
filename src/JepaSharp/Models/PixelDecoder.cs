using JepaSharp.Runtime;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Everything that fixes the names and shapes of a <see cref="PixelDecoder"/>'s weights, given its encoder.</summary>
/// <param name="Width">E: the decoder's width (MAE: 512).</param>
/// <param name="Depth">Number of transformer blocks (MAE: 8).</param>
/// <param name="Heads">Attention heads, each E/A wide (MAE: 16).</param>
public sealed record PixelDecoderShape(int Width, int Depth, int Heads)
{
    /// <summary>Width of the hidden layer of each MLP: four times the decoder's, as published.</summary>
    public int MlpWidth => 4 * Width;

    /// <summary>Checks that the numbers fit together.</summary>
    /// <exception cref="ArgumentException">Names every number that does not.</exception>
    public PixelDecoderShape Validated()
    {
        var problems = new List<string>();
        if (Heads < 1 || Width < 1 || Width % Math.Max(Heads, 1) != 0) problems.Add($"width {Width} is not a multiple of {Heads} heads");
        if (Width % 4 != 0) problems.Add($"width {Width} is not a multiple of 4, which sine-cosine positions need");
        if (Depth < 1) problems.Add($"depth {Depth} is not positive");
        return problems.Count == 0 ? this : throw new ArgumentException("The decoder cannot be built: " + string.Join("; ", problems) + ".");
    }
}

/// <summary>
/// MAE's decoder: from what the encoder says of the visible patches, and a shared mask token for every other, the pixels of each (He et al., CVPR
/// 2022, section 3, "MAE decoder").
/// </summary>
/// <remarks>
/// Shapes: B images, N patches of which K are kept, D the encoder's width, E the decoder's, P the patch. Tokens stand in the order class token, kept,
/// removed, each with the position of its patch: attention does not see an order, so that nothing has to be put back in place as in the published
/// code. State-dict names are the published ones.
/// </remarks>
public sealed class PixelDecoder : nn.Module
{
    [ComponentName(Name = "mask_token")] private readonly Parameter _maskToken;
    [ComponentName(Name = "decoder_pos_embed")] private readonly Tensor _positions;
    [ComponentName(Name = "decoder_embed")] private readonly Dense _embed;
    [ComponentName(Name = "decoder_blocks")] private readonly BlockStack _blocks;
    [ComponentName(Name = "decoder_norm")] private readonly LayerNormalization _norm;
    [ComponentName(Name = "decoder_pred")] private readonly Dense _predict;
    private readonly int _patches;

    static PixelDecoder() => NativeLibtorch.Load();

    /// <summary>Builds a decoder whose weights are not yet set: see <see cref="XavierInitialization"/>.</summary>
    /// <param name="shape">Width, depth and heads.</param>
    /// <param name="encoder">The encoder whose tokens it reads; it has a class token.</param>
    /// <param name="device">Where the weights live; the meta device for shapes alone. Null: the CPU.</param>
    /// <exception cref="ArgumentException">A shape is inconsistent, or the encoder has no class token.</exception>
    public PixelDecoder(PixelDecoderShape shape, VisionTransformerShape encoder, Device? device = null)
        : base(nameof(PixelDecoder))
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(encoder);
        if (!encoder.ClassToken)
            throw new ArgumentException("MAE's decoder reads an encoder with a class token; this one has none.", nameof(encoder));
        using var outside = NewDisposeScope();
        device ??= CPU;
        (Shape, _patches) = (shape.Validated(), encoder.Patches);
        _maskToken = new Parameter(empty([1, 1, shape.Width], float32, device));
        _positions = Positions.Buffer(encoder, shape.Width, device, classRow: true);
        _embed = new Dense("decoder_embed", [shape.Width, encoder.Width], device);
        _blocks = new BlockStack(shape.Depth, shape.Width, shape.Heads, shape.MlpWidth, device);
        _norm = new LayerNormalization("decoder_norm", shape.Width, device);
        _predict = new Dense("decoder_pred", [PatchPixels.CountOf(encoder), shape.Width], device);
        RegisterComponents();
        Positions.Detach(this, outside);
    }

    /// <summary>Width, depth and heads.</summary>
    public PixelDecoderShape Shape { get; }

    /// <summary>The pixels of the removed patches. -> [B, N - K, P P C], in the order of <paramref name="removed"/>.</summary>
    /// <param name="seen">What the encoder says of the class token and the kept patches, [B, 1 + K, D].</param>
    /// <param name="kept">One set of K patches an image: where what is seen is.</param>
    /// <param name="removed">One set of the N - K others.</param>
    /// <exception cref="ArgumentException">The three do not belong together.</exception>
    public Tensor Predict(Tensor seen, PatchSelection kept, PatchSelection removed)
    {
        using var scope = NewDisposeScope();
        return PredictAll(seen, kept, removed).narrow(1, kept.PatchesPerSet, removed.PatchesPerSet).MoveToOuterDisposeScope();
    }

    /// <summary>The pixels of every patch, row by row of the image, those that were seen too. -> [B, N, P P C].</summary>
    /// <inheritdoc cref="Predict"/>
    public Tensor PredictInOrder(Tensor seen, PatchSelection kept, PatchSelection removed)
    {
        using var scope = NewDisposeScope();
        ArgumentNullException.ThrowIfNull(kept);
        ArgumentNullException.ThrowIfNull(removed);
        var predicted = PredictAll(seen, kept, removed);
        var order = cat([kept.Patches.view(kept.Images, -1), removed.Patches.view(kept.Images, -1)], dim: 1);
        var places = order.argsort(1).unsqueeze(-1).expand(-1, -1, predicted.shape[2]);
        return predicted.gather(1, places).MoveToOuterDisposeScope();
    }

    /// <summary>[B, 1 + K, D] -> [B, N, P P C]: the kept patches, then the removed.</summary>
    private Tensor PredictAll(Tensor seen, PatchSelection kept, PatchSelection removed)
    {
        RequireTogether(seen, kept, removed);
        using var scope = NewDisposeScope();
        long images = kept.Images, width = Shape.Width;
        var patches = _positions.select(0, 0).narrow(0, 1, _patches);
        Tensor PlacesOf(PatchSelection chosen) => patches.index_select(0, chosen.Patches).view(images, chosen.PatchesPerSet, width);
        var classPlace = _positions.narrow(1, 0, 1).expand(images, 1, width);
        var known = _embed.forward(seen).Add(cat([classPlace, PlacesOf(kept)], dim: 1));
        var asked = _maskToken.Add(PlacesOf(removed));
        var decoded = _norm.forward(_blocks.Forward(cat([known, asked], dim: 1)));
        // The class token's output says nothing of a patch.
        return _predict.forward(decoded).narrow(1, 1, _patches).MoveToOuterDisposeScope();
    }

    private void RequireTogether(Tensor seen, PatchSelection kept, PatchSelection removed)
    {
        ArgumentNullException.ThrowIfNull(seen);
        ArgumentNullException.ThrowIfNull(kept);
        ArgumentNullException.ThrowIfNull(removed);
        if (kept.Sets != 1 || removed.Sets != 1 || removed.Images != kept.Images || kept.PatchesPerSet + removed.PatchesPerSet != _patches)
            throw new ArgumentException(
                $"{kept.Sets} sets of {kept.PatchesPerSet} kept patches of {kept.Images} images and {removed.Sets} of "
                    + $"{removed.PatchesPerSet} removed of {removed.Images}: expected one set each, together the {_patches} patches of every image.",
                nameof(kept));
        if (seen.shape is not [var batch, var tokens, _] || batch != kept.Images || tokens != kept.PatchesPerSet + 1)
            throw new ArgumentException(
                $"What is seen has the shape [{string.Join(", ", seen.shape)}]: expected [{kept.Images}, {kept.PatchesPerSet + 1}, D], the class "
                    + "token first.", nameof(seen));
    }
}
