using JepaSharp.Data.Augmentation;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Cropping;

/// <summary>What is done to an image each time it is trained on: random resized crop, then, where asked for, changes at random.</summary>
/// <remarks>I-JEPA itself uses the crop alone (paper, section 1: no hand-crafted view augmentations); the rest is there for its rivals and for
/// ablations.</remarks>
public sealed record TrainingTransform
{
    /// <summary>Height and width of the crop in pixels.</summary>
    public int CropSize { get; init; } = 224;

    /// <summary>The distribution of the crop's box.</summary>
    public RandomResizedCrop Crop { get; init; } = new();

    /// <summary>Kernel of the resize.</summary>
    public ResampleFilter Filter { get; init; } = ResampleFilter.Bilinear;

    /// <summary>Mirror, colour, blur and the like; none where nothing is said.</summary>
    public Augmentations Augmentations { get; init; } = new();

    /// <summary>Whether JPEGs may be decoded at a half, a quarter or an eighth where twice the crop's resolution remains.</summary>
    public bool AllowScaledDecoding { get; init; } = true;

    /// <summary>Crops and augments one image.</summary>
    /// <param name="image">The image; it is decoded by this call.</param>
    /// <param name="random">The image's own stream.</param>
    /// <param name="sampler">The thread's memory.</param>
    /// <param name="output">uint8 [CropSize, CropSize, 3].</param>
    /// <exception cref="ImageUnreadableException">The image's data is damaged.</exception>
    public void Apply(OpenedImage image, ref RandomStream random, CropSampler sampler, Span<byte> output)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(sampler);
        var box = Crop.Draw(image.Width, image.Height, ref random);
        sampler.Sample(image, CropGeometry.Of(box, CropSize, CropSize, Filter), AllowScaledDecoding, output);
        Augmentations.Apply(output, CropSize, ref random);
    }
}
