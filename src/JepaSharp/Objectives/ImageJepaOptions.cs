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
        get => field ??= MultiBlock(new MultiBlockMaskingOptions { Grid = new PatchGrid(Encoder.GridHeight, Encoder.GridWidth) });
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

    /// <summary>Seed of the initial weights.</summary>
    public ulong Seed { get; init; }

    /// <summary>Multi-block masks (paper, section 3).</summary>
    /// <exception cref="Runtime.JepaException">The options cannot be sampled from.</exception>
    public static MaskDraw MultiBlock(MultiBlockMaskingOptions options)
    {
        var masking = new MultiBlockMasking(options);
        return (seed, microBatch, images) => masking.Sample(seed, microBatch, images);
    }
}
