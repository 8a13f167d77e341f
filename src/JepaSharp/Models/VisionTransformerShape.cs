using JepaSharp.Configuration;

namespace JepaSharp.Models;

/// <summary>Everything that fixes the names and shapes of an encoder's weights.</summary>
public sealed record VisionTransformerShape
{
    /// <summary>H in pixels of the images that the position table is made for.</summary>
    public required int ImageHeight { get; init; }

    /// <summary>W in pixels of the images that the position table is made for.</summary>
    public required int ImageWidth { get; init; }

    /// <summary>P: side of a square patch in pixels.</summary>
    public required int PatchSize { get; init; }

    /// <summary>C: channels of an image.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>D: encoder width.</summary>
    public required int Width { get; init; }

    /// <summary>Number of transformer blocks.</summary>
    public required int Depth { get; init; }

    /// <summary>A: attention heads, each D/A wide.</summary>
    public required int Heads { get; init; }

    /// <summary>Width of the hidden layer of each MLP.</summary>
    public required int MlpWidth { get; init; }

    /// <summary>
    /// Whether a learned token that belongs to no patch goes before the patches' (Dosovitskiy et al., 2021; the name is <c>cls_token</c>).
    /// </summary>
    public bool ClassToken { get; init; }

    /// <summary>Whether positions are learned, rather than a fixed sine-cosine table.</summary>
    public bool LearnedPositions { get; init; }

    /// <summary>How positions are brought to the grid of images of another size than the table's.</summary>
    public PositionResizing Resizing { get; init; }

    /// <summary>Whether each patch's token is told its place by a number for each of its dimensions; without it, and without
    /// <see cref="RelativePositions"/>, an encoder does not know where patches are.</summary>
    public bool AbsolutePositions { get; init; } = true;

    /// <summary>Whether attention is told where patches lie to one another: a learned number for each head and difference of places, added to the
    /// scores and shared by all blocks (BEiT, data2vec; Bao et al., 2022). Needs a class token.</summary>
    public bool RelativePositions { get; init; }

    /// <summary>Whether each branch of a block is multiplied by a learned number for each dimension (layer scale: Touvron et al., 2021).</summary>
    public bool LayerScale { get; init; }

    /// <summary>Whether keys have a bias, as queries and values have. Without it queries' and values' have names of their own: <c>attn.q_bias</c> and
    /// <c>attn.v_bias</c>, as BEiT has them.</summary>
    public bool KeyBias { get; init; } = true;

    /// <summary>Whether a learned token may take the place of patches: <c>mask_token</c> (see
    /// <see cref="VisionTransformer.EncodeMasked(TorchSharp.torch.Tensor, TorchSharp.torch.Tensor)"/>).</summary>
    public bool MaskToken { get; init; }

    /// <summary>Whether an image is spoken for by the average of its patches before the final norm, normalised by itself, and not by the class token,
    /// as BEiT and data2vec are evaluated: their keys without a bias tell.</summary>
    public bool AveragesBeforeNorm => !KeyBias;

    /// <summary>Rows of the patch grid, H/P.</summary>
    public int GridHeight => ImageHeight / PatchSize;

    /// <summary>Columns of the patch grid, W/P.</summary>
    public int GridWidth => ImageWidth / PatchSize;

    /// <summary>N: patches in an image.</summary>
    public int Patches => GridHeight * GridWidth;

    /// <summary>Tokens of a whole image: N, and the class token where there is one.</summary>
    public int Tokens => Patches + (ClassToken ? 1 : 0);

    /// <summary>Checks that the numbers fit together.</summary>
    /// <exception cref="ArgumentException">Names every number that does not.</exception>
    public VisionTransformerShape Validated()
    {
        var problems = new List<string>();
        if (PatchSize < 1) problems.Add($"patch size {PatchSize} is not positive");
        else if (ImageHeight % PatchSize != 0 || ImageWidth % PatchSize != 0 || Patches < 1)
            problems.Add($"an image of {ImageHeight}x{ImageWidth} pixels is not a whole number of {PatchSize}-pixel patches");
        if (Heads < 1 || Width < 1 || Width % Math.Max(Heads, 1) != 0) problems.Add($"width {Width} is not a multiple of {Heads} heads");
        if (Width % 4 != 0 && AbsolutePositions && !LearnedPositions)
            problems.Add($"width {Width} is not a multiple of 4, which sine-cosine positions need");
        if (Depth < 1) problems.Add($"depth {Depth} is not positive");
        if (MlpWidth < 1) problems.Add($"MLP width {MlpWidth} is not positive");
        if (RelativePositions && !ClassToken) problems.Add("relative positions have rows for a class token, and there is none");
        if (LearnedPositions && !AbsolutePositions) problems.Add("learned positions without absolute positions");
        return problems.Count == 0 ? this : throw new ArgumentException("The encoder cannot be built: " + string.Join("; ", problems) + ".");
    }
}

/// <summary>How a table of positions is brought to another grid.</summary>
public enum PositionResizing
{
    /// <summary>Cubic convolution with a = -0.75 at the four nearest positions, as Hugging Face's transformers does.</summary>
    Bicubic,

    /// <summary>Cubic convolution with a = -0.5, widened where the grid shrinks, so that every position counts: as timm does.</summary>
    BicubicAntialiased,

    /// <summary>Cubic convolution with a = -0.75 at places that are scaled by (side + 0.1) / old side, where all else takes side / old side: as DINO
    /// and iBOT are published (Caron et al., 2021).</summary>
    BicubicOffset,
}

/// <summary>Everything that fixes the names and shapes of a predictor's weights, given its encoder.</summary>
/// <param name="Width">E: predictor width; narrower than the encoder (paper, section 4: 384).</param>
/// <param name="Depth">Number of transformer blocks (paper, appendix A.1: 6, 12 or 16).</param>
/// <param name="Heads">Attention heads, each E/A wide. The published code takes the encoder's head count.</param>
public sealed record PredictorShape(int Width, int Depth, int Heads)
{
    /// <summary>Numbers that are predicted of a patch where those are its pixels, C P P; null for a representation as wide as the encoder.</summary>
    public int? Outputs { get; init; }

    /// <summary>Checks that the numbers fit together.</summary>
    /// <exception cref="ArgumentException">Names every number that does not.</exception>
    public PredictorShape Validated()
    {
        var problems = new List<string>();
        if (Heads < 1 || Width < 1 || Width % Math.Max(Heads, 1) != 0) problems.Add($"width {Width} is not a multiple of {Heads} heads");
        if (Width % 4 != 0) problems.Add($"width {Width} is not a multiple of 4, which sine-cosine positions need");
        if (Depth < 1) problems.Add($"depth {Depth} is not positive");
        if (Outputs < 1) problems.Add($"{Outputs} outputs are not positive");
        return problems.Count == 0 ? this : throw new ArgumentException("The predictor cannot be built: " + string.Join("; ", problems) + ".");
    }
}

/// <summary>Shapes of the encoders that have a name: <see cref="EncoderPreset"/>.</summary>
public static class ModelPresets
{
    /// <summary>Known names, smallest first.</summary>
    public static IReadOnlyList<string> Names => EncoderPreset.Names;

    /// <summary>The shape of a named encoder for square images.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="imageSize">H = W in pixels.</param>
    /// <param name="patchSize">P in pixels.</param>
    /// <exception cref="ArgumentException">The name is unknown, or the image is not a whole number of patches.</exception>
    public static VisionTransformerShape Encoder(string name, int imageSize, int patchSize)
    {
        var row = EncoderPreset.All.FirstOrDefault(preset => preset.Name == name)
            ?? throw new ArgumentException($"Unknown model '{name}'; known are {string.Join(", ", Names)}.", nameof(name));
        return new VisionTransformerShape
        {
            ImageHeight = imageSize,
            ImageWidth = imageSize,
            PatchSize = patchSize,
            Width = row.Width,
            Depth = row.Depth,
            Heads = row.Heads,
            MlpWidth = (int)(row.Width * row.MlpRatio),
        }.Validated();
    }

    /// <summary>The named encoder whose width and depth are nearest to a shape's.</summary>
    internal static string NearestTo(VisionTransformerShape shape) =>
        EncoderPreset.All.MinBy(row => Math.Abs(Math.Log((double)row.Width / shape.Width))
            + Math.Abs(Math.Log((double)row.Depth / shape.Depth)))!.Name;
}
