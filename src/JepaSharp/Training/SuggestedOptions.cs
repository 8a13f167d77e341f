using JepaSharp.Configuration;
using JepaSharp.Models;
using JepaSharp.Runtime;
using JepaSharp.Weights;

namespace JepaSharp.Training;

/// <summary>Sensible options for images and a machine, with the reason for each.</summary>
/// <param name="Options">What to start from; anything given in a file or by <c>--set</c> wins.</param>
/// <param name="Reasons">One sentence a choice.</param>
public sealed record SuggestedOptions(PretrainOptions Options, IReadOnlyList<SuggestionReason> Reasons)
{
    private const string Rate = "optimization.lr";

    // What begun weights decide, whatever was chosen for the images.
    private static readonly string[] OfTheWeights = ["data.crop_size", "meta.model_name", "data.mean"];

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
                    PredEmbDim = predictor?.Width ?? PredictorWidth(encoder.Width, heads.Value),
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
                Msn = MaskedSiameseOf(weights, options.Msn),
                Ijepa = predictor?.Outputs is null ? options.Ijepa : options.Ijepa with { Target = JepaTarget.Pixels },
            },
            [new SuggestionReason($"networks, patches of {encoder.PatchSize} and crops of {size} pixels: those of {weights.Path}"),
                .. Reasons.Where(r => !r.Keys.Any(OfTheWeights.Contains))]);

        // Half the encoder's, as ViT-Base has in the paper: of the same heads, each half as wide, where positions can be made of it.
        static int PredictorWidth(int width, int heads) => width / 2 / heads * heads is var half && half > 0 && half % 4 == 0 ? half : width;
        // A head and prototypes of MSN, by the shapes of their first and last matrices.
        static MaskedSiameseSection MaskedSiameseOf(PretrainedWeights weights, MaskedSiameseSection msn)
        {
            int Rows(string name, int axis, int usual) => weights.Tensors.TryGetValue(name, out var tensor) ? (int)tensor.Shape[axis] : usual;
            if (weights.Objective != Objectives.MaskedSiamese.ShortName) return msn;
            var head = weights.Has(NetworkNames.TargetHead) ? NetworkNames.TargetHead : NetworkNames.Head;
            return msn with
            {
                Hidden = Rows($"{head}.0.weight", 0, msn.Hidden),
                Projection = Rows($"{head}.8.weight", 0, msn.Projection),
                Prototypes = Rows($"{NetworkNames.Prototypes}.weight", 0, msn.Prototypes),
            };
        }

        static ChannelTriple Triple(IReadOnlyList<double> numbers) => new(numbers[0], numbers[1], numbers[2]);
    }

    /// <summary>The same for another objective than I-JEPA: its own optimizer, schedules and crops, but for what was chosen to suit the
    /// images.</summary>
    /// <param name="objective">One of <see cref="KnownObjectives"/>.</param>
    public SuggestedOptions LearnedBy(string objective)
    {
        var options = ObjectiveDefaults.On(Options, objective);
        var rate = options.Optimization.Lr;
        if (rate == Options.Optimization.Lr) return new(options, Reasons);
        var said = FormattableString.Invariant($"learning rate {rate}: that of {objective} for small networks");
        return new(options, [.. Reasons.Where(r => !r.Keys.Contains(Rate)), new SuggestionReason(said, Rate)]);
    }
}

/// <summary>Why something was chosen.</summary>
/// <param name="Text">What was chosen, and because of what.</param>
/// <param name="Keys">The configuration keys it is about: given by hand, they make the sentence moot.</param>
public sealed record SuggestionReason(string Text, params IReadOnlyList<string> Keys);
