using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Data.Sources;
using JepaSharp.Models;
using JepaSharp.Runtime;
using JepaSharp.Weights;

namespace JepaSharp.Training;

/// <summary>Sensible options for images and a machine, with the reason for each.</summary>
/// <param name="Options">What to start from; anything given in a file or by <c>--set</c> wins.</param>
/// <param name="Reasons">One sentence a choice.</param>
public sealed record SuggestedOptions(PretrainOptions Options, IReadOnlyList<SuggestionReason> Reasons)
{
    /// <summary>For the built-in scenes: a few minutes on two cores.</summary>
    public static SuggestedOptions ForScenes() => new(
        new PretrainOptions
        {
            Data = new DataOptions
            {
                CropSize = 64,
                BatchSize = 32,
                // Crops that keep most of the scene and its shape, which is half as wide again as it is high.
                CropScale = new Interval(0.6, 1.0),
                CropAspect = new Interval(1.2, 1.8),
                SceneCount = 8000,
                SceneSize = 64,
                // Of the scenes themselves: they have half the contrast of photographs.
                Mean = new ChannelTriple(0.605, 0.604, 0.606),
                Std = new ChannelTriple(0.131, 0.133, 0.136),
            },
            Mask = new MaskOptions { PatchSize = 8, MinKeep = 4 },
            Meta = new MetaOptions { ModelName = "vit_tiny", EmbedDim = 128, Depth = 4, NumHeads = 4, PredDepth = 2, PredEmbDim = 64 },
            // A run this short needs a target that follows quickly, and a rate at which it does not collapse: see docs/experiments.md.
            Optimization = new OptimizationOptions
            {
                Epochs = 5,
                Warmup = 0.3,
                StartLr = 5e-5,
                Lr = 3e-4,
                FinalLr = 1e-6,
                FinalWeightDecay = 0.1,
                Ema = new MomentumRange(0.98, 1.0),
            },
            // The probe looks at 2,250 scenes: once on the way, so that measures stay under 3 % of the run.
            Logging = new LoggingOptions { EvaluateEvery = 3 },
        },
        []);

    /// <summary>For a collection of images.</summary>
    /// <param name="summary">How many there are and how large.</param>
    /// <param name="onGpu">Whether a GPU does the work.</param>
    public static SuggestedOptions For(ImageSourceSummary summary, bool onGpu)
    {
        var reasons = new List<SuggestionReason>();
        var (crop, patch) = CropFor(summary.MedianShorterSide, onGpu);
        reasons.Add(new($"crops of {crop} pixels in {patch}-pixel patches: the median shorter side of the images is {summary.MedianShorterSide}",
            "data.crop_size", "mask.patch_size"));
        var (model, depth, predictor, predictorDepth) = ModelFor(summary.Count, onGpu);
        reasons.Add(new(
            $"{model}{(depth is null ? "" : $" with {Quantity.Of(depth.Value, "block")}")}: {Quantity.Of(summary.Count, "image")} on a "
                + (onGpu ? "GPU" : "CPU"),
            "meta.model_name", "meta.depth", "meta.embed_dim"));
        var batch = BatchFor(summary.Count, onGpu);
        var epochs = EpochsFor(summary.Count, batch);
        var steps = Quantity.Of((long)epochs * (summary.Count / batch), "step");
        reasons.Add(new($"batches of {batch} and {Quantity.Of(epochs, "epoch")}: {steps}", "data.batch_size", "optimization.epochs"));
        var rate = onGpu ? 1e-3 : 3e-4;
        reasons.Add(new(Invariant($"learning rate {rate}: batches of {batch} are far from the paper's 2048"), "optimization.lr"));
        var grid = crop / patch;
        return new(
            new PretrainOptions
            {
                Data = new DataOptions { CropSize = crop, BatchSize = batch },
                Mask = new MaskOptions { PatchSize = patch, MinKeep = grid >= 12 ? 10 : 4 },
                Meta = new MetaOptions { ModelName = model, Depth = depth, PredDepth = predictorDepth, PredEmbDim = predictor },
                Optimization = new OptimizationOptions
                {
                    Epochs = epochs,
                    Warmup = Math.Max(1, epochs / 10),
                    StartLr = onGpu ? 2e-4 : 6e-5,
                    Lr = rate,
                    FinalLr = 1e-6,
                    FinalWeightDecay = onGpu ? 0.4 : 0.1,
                    Ema = new MomentumRange(onGpu ? 0.996 : 0.98, 1.0),
                },
                Logging = new LoggingOptions { EvaluateEvery = Math.Max(1, (epochs + 3) / 4) },
            },
            reasons);
    }

    /// <summary>The same, with networks, image size and normalisation of pretrained weights.</summary>
    /// <param name="weights">Those to begin with.</param>
    /// <param name="heads">Attention heads, where the weights do not tell.</param>
    /// <exception cref="JepaException">Nothing tells the number of heads.</exception>
    public SuggestedOptions Following(PretrainedWeights weights, int? heads = null)
    {
        heads = weights.Heads ?? heads
            ?? throw new JepaException(
                $"{weights.Path} does not say how many attention heads its encoder has. Give it: --set meta.num_heads=N.", isUsage: true);
        var (encoder, predictor, options) = (weights.Architecture, weights.PredictorArchitecture, Options);
        var size = Math.Min(encoder.ImageHeight, encoder.ImageWidth);
        var normalization = weights.Normalization ?? PixelNormalization.ImageNet;
        return new(
            options with
            {
                Data = options.Data with { CropSize = size, Mean = Triple(normalization.Mean), Std = Triple(normalization.Deviation) },
                Mask = options.Mask with { PatchSize = encoder.PatchSize, MinKeep = size / encoder.PatchSize >= 12 ? 10 : 4 },
                Meta = options.Meta with
                {
                    ModelName = ModelPresets.NearestTo(encoder),
                    EmbedDim = encoder.Width,
                    Depth = encoder.Depth,
                    NumHeads = heads,
                    MlpRatio = (double)encoder.MlpWidth / encoder.Width,
                    PredEmbDim = predictor?.Width ?? options.Meta.PredEmbDim,
                    PredDepth = predictor?.Depth ?? options.Meta.PredDepth,
                    PredNumHeads = predictor?.Heads is > 0 and var known ? known : null,
                },
                Mae = weights.DecoderArchitecture is not { } decoder ? options.Mae : options.Mae with
                {
                    DecoderWidth = decoder.Width,
                    DecoderDepth = decoder.Depth,
                    DecoderHeads = decoder.Heads > 0 ? decoder.Heads : options.Mae.DecoderHeads,
                    NormPix = weights.NormalizesPatches ?? options.Mae.NormPix,
                },
                Ijepa = predictor?.Outputs is null ? options.Ijepa : options.Ijepa with { Target = JepaTarget.Pixels },
            },
            [new SuggestionReason($"networks, patches of {encoder.PatchSize} and crops of {size} pixels: those of {weights.Path}"),
                .. Reasons.Skip(2)]);

        static ChannelTriple Triple(IReadOnlyList<double> numbers) => new(numbers[0], numbers[1], numbers[2]);
    }

    /// <summary>The same for another objective than I-JEPA: its own optimizer, schedules and crops, but for what was chosen to suit the
    /// images.</summary>
    /// <param name="objective">One of <see cref="KnownObjectives"/>.</param>
    public SuggestedOptions LearnedBy(string objective) => this with { Options = ObjectiveDefaults.On(Options, objective) };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static (int Crop, int Patch) CropFor(int side, bool onGpu) => (side, onGpu) switch
    {
        ( < 48, _) => (32, 4),
        ( < 80, _) => (64, 8),
        (_, false) => (96, 12),
        ( < 200, true) => (128, 8),
        _ => (224, 16),
    };

    private static (string Model, int? Depth, int Predictor, int PredictorDepth) ModelFor(int images, bool onGpu) => (images, onGpu) switch
    {
        ( < 20_000, false) => ("vit_tiny", 6, 96, 3),
        (_, false) => ("vit_tiny", null, 96, 6),
        ( < 50_000, true) => ("vit_small", null, 192, 6),
        _ => ("vit_base", null, 384, 6),
    };

    private static int BatchFor(int images, bool onGpu)
    {
        var batch = onGpu ? 256 : 128;
        while (batch > 8 && images / batch < 40) batch /= 2;
        return Math.Max(1, Math.Min(batch, images));
    }

    private static int EpochsFor(int images, int batch)
    {
        var steps = Math.Max(1, images / batch);
        return Math.Clamp(3000 / steps, 5, 300);
    }
}

/// <summary>Why something was chosen.</summary>
/// <param name="Text">What was chosen, and because of what.</param>
/// <param name="Keys">The configuration keys it is about: given by hand, they make the sentence moot.</param>
public sealed record SuggestionReason(string Text, params IReadOnlyList<string> Keys);
