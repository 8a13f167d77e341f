using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Cropping;

/// <summary>What is done to an image each time it is trained on: random resized crop, then, where asked for, flip, colour and blur, in this
/// order.</summary>
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

    /// <summary>Mirror left and right with probability 1/2.</summary>
    public bool UseHorizontalFlip { get; init; }

    /// <summary>Colour distortion; null for none.</summary>
    public ColorDistortion? Color { get; init; }

    /// <summary>Gaussian blur with probability 1/2.</summary>
    public bool UseGaussianBlur { get; init; }

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
        if (UseHorizontalFlip && random.NextDouble() < 0.5) Mirror(output, CropSize);
        Color?.Apply(output, ref random);
        if (UseGaussianBlur && random.NextDouble() < 0.5) GaussianBlur.Apply(output, CropSize, CropSize, random.NextDouble(0.1, 2.0));
    }

    /// <summary>Mirrors [H, W, 3] left and right, in place.</summary>
    internal static void Mirror(Span<byte> pixels, int width)
    {
        for (var start = 0; start < pixels.Length; start += 3 * width)
        {
            for (int left = start, right = start + (3 * (width - 1)); left < right; left += 3, right -= 3)
            {
                for (var c = 0; c < 3; c++)
                    (pixels[left + c], pixels[right + c]) = (pixels[right + c], pixels[left + c]);
            }
        }
    }
}
