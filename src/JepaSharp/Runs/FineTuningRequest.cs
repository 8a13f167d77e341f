using JepaSharp.Configuration;
using JepaSharp.Data.Cropping;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Runs;

/// <summary>What to train further, on what, and how.</summary>
public sealed record FineTuningRequest
{
    private const double ImagesOfTheRate = 256, FinalRate = 1e-6;

    /// <summary>The encoder to begin with; not changed.</summary>
    public required VisionTransformer Start { get; init; }

    /// <summary>The normalisation that it was trained with.</summary>
    public required PixelNormalization Normalization { get; init; }

    /// <summary>The images to train on, and their classes.</summary>
    public required LabelledImages Fit { get; init; }

    /// <summary>H = W of the crops in pixels.</summary>
    public required int Size { get; init; }

    /// <summary>The recipe.</summary>
    public FineTuneOptions Recipe { get; init; } = new();

    /// <summary>Where to train; null for the CPU.</summary>
    public Device? Device { get; init; }

    /// <summary>How the encoder's matrix products are computed. Weights, moments, averages and the head are float32 always.</summary>
    public Computation Precision { get; init; } = ScalarType.Float32;

    /// <summary>Where the images are, as a path with options, for the run's configuration; null where nothing is to be said.</summary>
    public string? Address { get; init; }

    /// <summary>The same as a configuration: linear warm-up from 0 (a tenth of the run at most), then a cosine; the rate grows with the images of a
    /// step.</summary>
    public PretrainOptions ToOptions()
    {
        var (recipe, shape) = (Recipe, Start.Shape);
        var batch = Math.Min(recipe.BatchSize, Fit.Source.Count);
        var peak = recipe.LearningRate * batch * recipe.Accumulate / ImagesOfTheRate;
        return new PretrainOptions
        {
            Data = new DataOptions
            {
                Path = Address,
                BatchSize = batch,
                CropSize = Size,
                CropScale = new Interval(recipe.CropScale, 1),
                Interpolation = ResampleFilter.Bicubic,
                UseHorizontalFlip = recipe.Flip,
                Mean = Triple(Normalization.Mean),
                Std = Triple(Normalization.Deviation),
            },
            Mask = new MaskOptions { PatchSize = shape.PatchSize },
            Meta = new MetaOptions
            {
                Objective = FineTuning.ShortName,
                ModelName = ModelPresets.NearestTo(shape),
                EmbedDim = shape.Width,
                Depth = shape.Depth,
                NumHeads = shape.Heads,
                MlpRatio = (double)shape.MlpWidth / shape.Width,
                Seed = recipe.Seed,
                Precision = Precision.Precision == ScalarType.BFloat16 ? Runtime.Precision.Bf16 : Runtime.Precision.Fp32,
                Device = Device?.ToString() ?? "cpu",
            },
            Optimization = new OptimizationOptions
            {
                Epochs = recipe.Epochs,
                Accumulate = recipe.Accumulate,
                Warmup = Math.Min(recipe.WarmupEpochs, recipe.Epochs / 10.0),
                StartLr = 0,
                Lr = peak,
                FinalLr = Math.Min(FinalRate, peak),
                WeightDecay = recipe.WeightDecay,
                FinalWeightDecay = recipe.WeightDecay,
                Ema = new MomentumRange(recipe.Average, recipe.Average),
                ClipGrad = recipe.Clip,
                SkipNonFinite = recipe.SkipNonFinite,
            },
            Logging = new LoggingOptions { EvaluateEvery = null, MonitorEvery = 0 },
        };
    }

    private static ChannelTriple Triple(IReadOnlyList<double> numbers) => new(numbers[0], numbers[1], numbers[2]);
}
