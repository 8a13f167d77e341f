using JepaSharp.Configuration;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Masking;
using JepaSharp.Models;

namespace JepaSharp.Objectives;

/// <summary>Draws the context and target blocks of a batch.</summary>
/// <param name="seed">The run's seed.</param>
/// <param name="microBatch">Number of the micro-batch in the whole run.</param>
/// <param name="images">[B], index of each image in its source.</param>
public delegate MaskBatch MaskDraw(ulong seed, long microBatch, ReadOnlySpan<long> images);

/// <summary>Everything that fixes an <see cref="ImageJepa"/>.</summary>
public sealed record ImageJepaOptions
{
    /// <summary>Shape of both encoders.</summary>
    public required VisionTransformerShape Encoder { get; init; }

    /// <summary>Shape of the predictor.</summary>
    public required PredictorShape Predictor { get; init; }

    /// <summary>How context and target blocks are drawn; the paper's multi-block masking where nothing is said.</summary>
    public MaskDraw Masks
    {
        get => field ??= DrawnFrom(new MultiBlockMaskingOptions { Grid = new PatchGrid(Encoder.GridHeight, Encoder.GridWidth) });
        init;
    }

    /// <summary>The crop that is made of an image.</summary>
    public View View
    {
        get => field ??= new View("image", new TrainingTransform { CropSize = Encoder.ImageHeight });
        init;
    }

    /// <summary>Distance between prediction and target.</summary>
    public JepaLoss Loss { get; init; } = JepaLoss.SmoothL1;

    /// <summary>What is predicted of a patch.</summary>
    public JepaTarget Target { get; init; } = JepaTarget.Representations;

    /// <summary>Where representations are masked; of pixels nothing is.</summary>
    public TargetMasking MaskTarget { get; init; } = TargetMasking.Output;

    /// <summary>Weight of the variance term: see <see cref="VarianceCovariance"/>. 0 for none, as published.</summary>
    public double Variance { get; init; }

    /// <summary>Weight of the covariance term. 0 for none, as published.</summary>
    public double Covariance { get; init; }

    /// <summary>Whether contexts are kept apart by <see cref="VarianceCovariance"/>.</summary>
    internal bool KeepsApart => Variance > 0 || Covariance > 0;

    /// <summary>Seed of the initial weights.</summary>
    public ulong Seed { get; init; }

    /// <summary>Numbers that a predictor of a target ends in: see <see cref="PredictorShape.Outputs"/>.</summary>
    /// <param name="target">What is predicted.</param>
    /// <param name="encoder">Shape of the encoder.</param>
    public static int? OutputsOf(JepaTarget target, VisionTransformerShape encoder) =>
        target == JepaTarget.Representations ? null : PatchPixels.CountOf(encoder);

    /// <summary>Masks of any strategy.</summary>
    /// <exception cref="Runtime.JepaException">The options cannot be sampled from.</exception>
    public static MaskDraw DrawnFrom(MaskingOptions options)
    {
        var sampler = new MaskSampler(options);
        return (seed, microBatch, images) => sampler.Sample(seed, microBatch, images);
    }

    /// <summary>The same, with contexts of one length for so many images, however large a micro-batch is: see <see cref="MaskGroups"/>.</summary>
    /// <param name="options">What is drawn.</param>
    /// <param name="imagesPerLength">G; null for the images of a micro-batch.</param>
    /// <param name="batch">B, images in a micro-batch.</param>
    /// <exception cref="Runtime.JepaException">The options cannot be sampled from.</exception>
    /// <exception cref="ArgumentException">G is no multiple of B.</exception>
    public static MaskDraw DrawnFrom(MaskingOptions options, int? imagesPerLength, int batch) =>
        imagesPerLength is { } images ? new MaskGroups(new MaskSampler(options), images, batch).Sample : DrawnFrom(options);
}
