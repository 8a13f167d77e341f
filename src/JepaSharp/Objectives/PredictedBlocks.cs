using JepaSharp.Configuration;
using JepaSharp.Data.Loading;
using JepaSharp.Masking;
using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>What a frozen I-JEPA says of a block of each image, computed as the images come, with masks drawn anew.</summary>
/// <remarks>
/// I-JEPA's paper (section 8, appendix E) says that the decoder maps the average of the predictor's output to pixels, and not whether those are of
/// the image or of the block. Here: of the block, the first of those that multi-block masking draws, and square, so that nothing is distorted; what
/// is seen is what all of them leave. Training and drawing then have the same distribution of representations.
/// </remarks>
public sealed class PredictedBlocks : DecodedPairs
{
    private readonly MaskDraw _masks;
    private readonly BlockPictures _pictures;
    private readonly DecodedRepresentation _represents;
    private readonly DecodedArea _area;

    /// <param name="jepa">The frozen networks; taken over.</param>
    /// <param name="view">The crop that is made of an image, of the encoder's size.</param>
    /// <param name="masks">How blocks are drawn: see <see cref="SquareBlocks"/>.</param>
    /// <param name="size">S: side of the pictures.</param>
    /// <param name="represents">Whose representation is decoded.</param>
    /// <param name="area">What is decoded.</param>
    public PredictedBlocks(
        FrozenJepa jepa, View view, MaskDraw masks, int size, DecodedRepresentation represents = DecodedRepresentation.Predictor,
        DecodedArea area = DecodedArea.Block)
    {
        ArgumentNullException.ThrowIfNull(jepa);
        (Jepa, View, _masks, _represents, _area) = (jepa, view, masks, represents, area);
        _pictures = new BlockPictures(jepa.Pixels, jepa.Shape.PatchSize, size);
        Networks =
        [
            new("encoder", jepa.ContextEncoder, NetworkRole.Frozen) { Title = "context encoder" },
            new("predictor", jepa.Predictor, NetworkRole.Frozen),
            new("target_encoder", jepa.TargetEncoder, NetworkRole.Frozen),
        ];
    }

    /// <summary>The frozen networks.</summary>
    public FrozenJepa Jepa { get; }

    /// <inheritdoc/>
    public override int Width => Jepa.Shape.Width;

    /// <inheritdoc/>
    public override View View { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Network> Networks { get; }

    /// <inheritdoc/>
    public override VisionTransformer Encoder => Jepa.TargetEncoder;

    /// <inheritdoc/>
    public override string Description
    {
        get
        {
            var who = _represents switch
            {
                DecodedRepresentation.Predictor => "what the predictor says of a square target block",
                DecodedRepresentation.Target => "what the target encoder says of a square target block",
                _ => "what the context encoder says of what it sees",
            };
            return $"{who}, averaged, to {(_area == DecodedArea.Block ? "the block" : "the image")}; the networks of {Jepa.Name} (fingerprint "
                + $"{Jepa.Fingerprint[..12]}) run in every step";
        }
    }

    /// <summary>Fingerprint of the networks, and what is decoded.</summary>
    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Facts => new Dictionary<string, string>
    {
        ["decoded_networks"] = Jepa.Fingerprint,
        ["represents"] = _represents.ToString().ToLowerInvariant(),
        ["decodes"] = _area.ToString().ToLowerInvariant(),
    };

    /// <summary>Multi-block masks with square targets, for a grid.</summary>
    /// <param name="grid">The grid.</param>
    /// <param name="minKeep">Fewest patches of context.</param>
    public static MultiBlockMaskingOptions SquareBlocks(PatchGrid grid, int minKeep) =>
        new() { Grid = grid, TargetAspect = new Runtime.Interval(1, 1), MinKeep = minKeep };

    /// <inheritdoc/>
    public override (Tensor Pictures, Tensor Conditions) Of(ViewBatch batch, Step step)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var images = batch[View.Name];
        var masks = DrawMasks(batch.Indices, step);
        using var selected = JepaMasks.Of(masks, images.device);
        using var asked = selected.Targets.Only(0);
        var conditions = _represents switch
        {
            DecodedRepresentation.Predictor => Jepa.Predicted(images, selected.Context, asked),
            DecodedRepresentation.Target => Jepa.Target(images, asked),
            _ => Jepa.Context(images, selected.Context),
        };
        var pictures = _area == DecodedArea.Image ? _pictures.Of(images)
            : _pictures.Of(images, [.. Enumerable.Range(0, masks.Batch).Select(i => BlockPictures.BlockOf(masks.Grid, masks.Target(0, i)))]);
        return (pictures.MoveToOuterDisposeScope(), conditions.MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    public override StepOperations Operations(IReadOnlyList<int> indices, Step step)
    {
        var masks = DrawMasks(indices, step);
        var (encoder, images) = (Jepa.Shape, (double)masks.Batch);
        var seen = NetworkOperations.OfEncoder("encoder", NetworkRole.Frozen, encoder, images, masks.ContextLength);
        return new StepOperations(_represents switch
        {
            DecodedRepresentation.Predictor =>
            [
                seen, NetworkOperations.OfPredictor(
                    "predictor", NetworkRole.Frozen, Jepa.Predictor.Shape, encoder.Width, images, masks.ContextLength, images, masks.TargetLength),
            ],
            DecodedRepresentation.Target =>
                [NetworkOperations.OfEncoder("target_encoder", NetworkRole.Frozen, encoder, images, masks.Grid.Count)],
            _ => [seen],
        });
    }

    private MaskBatch DrawMasks(IReadOnlyList<int> indices, Step step) => _masks(step.Seed, step.MicroBatch, [.. indices.Select(i => (long)i)]);
}
