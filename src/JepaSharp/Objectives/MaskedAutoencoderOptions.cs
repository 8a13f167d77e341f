using JepaSharp.Data.Augmentation;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using JepaSharp.Runtime;

namespace JepaSharp.Objectives;

/// <summary>Draws the noise of one image, by which its patches are sorted.</summary>
/// <param name="seed">The run's seed.</param>
/// <param name="microBatch">Number of the micro-batch in the whole run.</param>
/// <param name="image">Index of the image in its source.</param>
/// <param name="noise">[N], to be filled.</param>
public delegate void NoiseDraw(ulong seed, long microBatch, int image, Span<double> noise);

/// <summary>Everything that fixes a <see cref="MaskedAutoencoder"/>.</summary>
public sealed record MaskedAutoencoderOptions
{
    /// <summary>Shape of the encoder; with a class token.</summary>
    public required VisionTransformerShape Encoder { get; init; }

    /// <summary>Shape of the decoder.</summary>
    public PixelDecoderShape Decoder { get; init; } = new(Width: 512, Depth: 8, Heads: 16);

    /// <summary>Share of the patches that the encoder does not see.</summary>
    public double MaskRatio { get; init; } = 0.75;

    /// <summary>What masks are drawn by: uniform in [0, 1), keyed by the run's seed, the micro-batch and the image, where nothing is said.</summary>
    public NoiseDraw Noise { get => field ??= Uniform; init; }

    /// <summary>Whether the pixels of a patch are predicted less their mean and over their deviation.</summary>
    public bool NormalizesPatches { get; init; } = true;

    /// <summary>The crop that is made of an image (appendix A.1: random resized crops and flips, nothing else).</summary>
    public View View
    {
        get => field ??= new View("image", new TrainingTransform
        {
            CropSize = Encoder.ImageHeight,
            Crop = new RandomResizedCrop { MinScale = 0.2 },
            Filter = ResampleFilter.Bicubic,
            Augmentations = new Augmentations { Flip = 0.5 },
        });
        init;
    }

    /// <summary>Mean of each channel that pixels are normalised with, of values in [0, 1]: for pictures alone.</summary>
    public IReadOnlyList<double> PixelMean { get; init; } = [0.485, 0.456, 0.406];

    /// <summary>Deviation of each channel that pixels are normalised with, of values in [0, 1]: for pictures alone.</summary>
    public IReadOnlyList<double> PixelDeviation { get; init; } = [0.229, 0.224, 0.225];

    /// <summary>Seed of the initial weights.</summary>
    public ulong Seed { get; init; }

    private static void Uniform(ulong seed, long microBatch, int image, Span<double> noise)
    {
        var stream = new RandomStream(seed, RandomPurpose.Objective, microBatch, image);
        foreach (ref var number in noise) number = stream.NextDouble();
    }
}
