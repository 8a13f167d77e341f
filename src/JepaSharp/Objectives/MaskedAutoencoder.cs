using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Data;
using JepaSharp.Data.Loading;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>MAE: from a quarter of an image's patches, guess the pixels of the others (He et al., "Masked autoencoders are scalable vision learners",
/// CVPR 2022).</summary>
/// <remarks>Shapes: B images, C channels, H W pixels, N patches of P x P pixels, of which K are kept; D width.</remarks>
public sealed class MaskedAutoencoder : Objective
{
    /// <summary>Its name in configurations and files.</summary>
    public const string ShortName = MetaOptions.MaskedAutoencoder;

    private const double Epsilon = 1e-6; // beside a patch's variance

    private readonly View _view;

    /// <summary>Builds both networks.</summary>
    /// <param name="options">Shapes, mask, target, view and seed.</param>
    /// <param name="device">Where the networks live. Null: the CPU.</param>
    /// <exception cref="ArgumentException">A shape is inconsistent, the encoder has no class token, or the mask leaves nothing or hides
    /// nothing.</exception>
    public MaskedAutoencoder(MaskedAutoencoderOptions options, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (Options, _view) = (options, options.View);
        Kept = RandomPatches.KeptOf(options.Encoder.Patches, options.MaskRatio);
        if (Kept < 1 || Kept >= options.Encoder.Patches)
            throw new ArgumentException(
                $"A mask ratio of {options.MaskRatio} keeps {Kept} of {options.Encoder.Patches} patches: expected at least one kept and one removed.",
                nameof(options));
        Encoder = new VisionTransformer(options.Encoder, device);
        Decoder = new PixelDecoder(options.Decoder, options.Encoder, device);
        Networks = [new("encoder", Encoder, NetworkRole.Trained), new("decoder", Decoder, NetworkRole.Trained)];
        if (device?.type == DeviceType.META) return;

        XavierInitialization.Initialize(Encoder, options.Seed, stream: 0);
        XavierInitialization.Initialize(Decoder, options.Seed, stream: 1);
    }

    /// <summary>Shapes, mask, target and view.</summary>
    public MaskedAutoencoderOptions Options { get; }

    /// <summary>Encodes the visible patches alone; what is used afterwards.</summary>
    public override VisionTransformer Encoder { get; }

    /// <summary>Guesses the pixels of the others; of no use afterwards.</summary>
    public PixelDecoder Decoder { get; }

    /// <summary>K: patches of an image that the encoder sees.</summary>
    public int Kept { get; }

    /// <inheritdoc/>
    public override string Name => ShortName;

    /// <inheritdoc/>
    public override IReadOnlyList<Network> Networks { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<View> Views => [_view];

    /// <summary>The decoder's heads, and whether it guesses normalised pixels.</summary>
    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Facts => new Dictionary<string, string>
    {
        ["decoder_heads"] = Options.Decoder.Heads.ToString(CultureInfo.InvariantCulture),
        ["normalizes_patches"] = Options.NormalizesPatches ? "true" : "false",
    };

    /// <summary>Pixels are what they are.</summary>
    /// <inheritdoc/>
    public override bool TargetsAreFixed => true;

    /// <summary>The mean squared error of the guessed pixels, over the removed patches of the batch.</summary>
    /// <inheritdoc/>
    public override Tensor Loss(ViewBatch batch, Step step)
    {
        using var scope = NewDisposeScope();
        var images = batch[_view.Name];
        step.Count(Operations(batch.Indices, step));
        using var masks = AutoencoderMasks.Of(DrawMasks(batch.Indices, step), images.device);
        return Loss(images, masks).MoveToOuterDisposeScope();
    }

    /// <summary>The same with masks that are given. -> [].</summary>
    /// <param name="images">Normalised pixels [B, C, H, W].</param>
    /// <param name="masks">What is kept of each image, and what is removed.</param>
    public Tensor Loss(Tensor images, AutoencoderMasks masks)
    {
        using var scope = NewDisposeScope();
        // MAE encoder: on visible patches alone, without mask tokens.
        var latent = Encoder.Encode(images, masks.Kept);
        // MAE decoder: the encoded patches and a mask token for every other, each with its place in the image.
        var predictions = Decoder.Predict(latent, masks.Kept, masks.Removed).to(float32);
        // Reconstruction target: the pixels of a masked patch; the loss is on masked patches alone.
        return PatchDistance.Mean(predictions, Targets(images, masks.Removed), JepaLoss.L2).MoveToOuterDisposeScope();
    }

    /// <summary>What is to be guessed of chosen patches. No gradient. -> float32 [B, K', P P C], in their order.</summary>
    /// <remarks>With normalised pixels (x - μ) / √(σ² + 1e-6), μ and the unbiased σ² over all numbers of the patch.</remarks>
    /// <param name="images">Normalised pixels [B, C, H, W].</param>
    /// <param name="chosen">One set of K' patches an image.</param>
    public Tensor Targets(Tensor images, PatchSelection chosen)
    {
        ArgumentNullException.ThrowIfNull(chosen);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var pixels = PatchPixels.Of(images, Options.Encoder.PatchSize).flatten(0, 1).index_select(0, chosen.Rows).to(float32)
            .view(chosen.Images, chosen.PatchesPerSet, -1);
        if (!Options.NormalizesPatches) return pixels.MoveToOuterDisposeScope();
        var (mean, deviation) = Moments(pixels);
        return pixels.Subtract(mean).div(deviation).MoveToOuterDisposeScope();
    }

    /// <summary>μ and √(σ² + 1e-6) of patches. [..., P P C] -> [..., 1] each.</summary>
    internal static (Tensor Mean, Tensor Deviation) Moments(Tensor pixels)
    {
        var variance = pixels.var([-1L], unbiased: true, keepdim: true);
        return (pixels.mean([-1L], keepdim: true), variance.Add(tensor((float)Epsilon, device: pixels.device)).sqrt());
    }

    /// <summary>The masks of a batch: see <see cref="MaskedAutoencoderOptions.Noise"/>.</summary>
    /// <param name="indices">[B], index of each image in its source.</param>
    /// <param name="step">What they are keyed by.</param>
    public RandomPatches DrawMasks(IReadOnlyList<int> indices, Step step)
    {
        ArgumentNullException.ThrowIfNull(indices);
        ArgumentNullException.ThrowIfNull(step);
        var patches = Options.Encoder.Patches;
        var noise = new double[indices.Count * patches];
        for (var image = 0; image < indices.Count; image++)
            Options.Noise(step.Seed, step.MicroBatch, indices[image], noise.AsSpan(image * patches, patches));
        return RandomPatches.FromNoise(noise, patches, Options.MaskRatio);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Describe(int images, int batches, ulong seed) =>
    [
        $"asked: from {Kept} of {Options.Encoder.Patches} patches, the {(Options.NormalizesPatches ? "normalised pixels" : "pixels")} of the "
            + $"{Options.Encoder.Patches - Kept} others",
    ];

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Measure(MonitoredImages images) => MaskedAutoencoderMeasures.Of(this, images);

    /// <summary>The class token of the kept patches.</summary>
    /// <inheritdoc/>
    public override Tensor EncodePart(Tensor images, IReadOnlyList<int> indices, Step step)
    {
        using var scope = NewDisposeScope();
        using var masks = AutoencoderMasks.Of(DrawMasks(indices, step), images.device);
        return EncodedTokens.Pooled(Encoder.Encode(images, masks.Kept).to(float32), Options.Encoder).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override ObjectiveCost Cost(IReadOnlyList<int> indices, Step step)
    {
        var (encoder, decoder) = (Options.Encoder, Options.Decoder);
        double Encoding(int patches) => ObjectiveCost.OfBlocks(encoder.Depth, encoder.Width, encoder.MlpWidth, patches + 1);
        var decoding = ObjectiveCost.OfBlocks(decoder.Depth, decoder.Width, decoder.MlpWidth, encoder.Tokens);
        return new ObjectiveCost(Encoding(encoder.Patches), Encoding(Kept), Encoding(Kept) + decoding, 3 * (Encoding(Kept) + decoding));
    }

    /// <inheritdoc/>
    public override StepOperations Operations(IReadOnlyList<int> indices, Step step)
    {
        ArgumentNullException.ThrowIfNull(indices);
        return new StepOperations(
        [
            NetworkOperations.OfEncoder("encoder", NetworkRole.Trained, Options.Encoder, indices.Count, Kept),
            NetworkOperations.OfDecoder("decoder", Options.Decoder, Options.Encoder, indices.Count, Kept),
        ]);
    }

    /// <inheritdoc/>
    public override bool DrawsWhatItLearned => true;

    /// <summary>Of each image what the encoder sees, and what is guessed of it.</summary>
    /// <inheritdoc/>
    public override ObjectivePictures Draw(IReadOnlyList<RgbImage> images, IReadOnlyList<int> indices, Step step, int zoom) =>
        Reconstructions.Of(this, images, DrawMasks(indices, step), zoom);
}
