using JepaSharp.Data.Augmentation;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Runtime;

namespace JepaSharp.Configuration;

/// <summary>Several views of an image: how many, how large, and what changes them. YAML section <c>views</c>, read by objectives that compare views
/// (lejepa, dino, ibot, msn). Ours.</summary>
/// <remarks>Numbers are those of LeJEPA's README (Balestriero and LeCun, 2025). Size, scale, aspect ratio and interpolation of the global views are
/// those of section <c>data</c>.</remarks>
public sealed record ViewSection
{
    /// <summary>G: global views of an image. 2.</summary>
    public int Global { get; init; } = 2;

    /// <summary>L: local views of an image, smaller crops of smaller parts; 0 for none. 6.</summary>
    public int Local { get; init; } = 6;

    /// <summary>Side of a local view in pixels, a multiple of <see cref="MaskOptions.PatchSize"/>. 96.</summary>
    public int LocalSize { get; init; } = 96;

    /// <summary>Share of the image's area that a local view covers. [0.05, 0.3].</summary>
    public Interval LocalScale { get; init; } = new(0.05, 0.3);

    /// <summary>Chance of mirroring a view left and right. 0.5.</summary>
    public double Flip { get; init; } = 0.5;

    /// <summary>Chance of changing a view's colours. 0.8.</summary>
    public double Jitter { get; init; } = 0.8;

    /// <summary>Brightness changes by a factor within 1 +- this. 0.4.</summary>
    public double Brightness { get; init; } = 0.4;

    /// <summary>Contrast changes by a factor within 1 +- this. 0.4.</summary>
    public double Contrast { get; init; } = 0.4;

    /// <summary>Saturation changes by a factor within 1 +- this. 0.2.</summary>
    public double Saturation { get; init; } = 0.2;

    /// <summary>Hue changes by turns within +- this, at most 0.5. 0.1.</summary>
    public double Hue { get; init; } = 0.1;

    /// <summary>Chance of turning a view grey. 0.2.</summary>
    public double Gray { get; init; } = 0.2;

    /// <summary>Chance of blurring a view. 0.5.</summary>
    public double Blur { get; init; } = 0.5;

    /// <summary>The blur's deviation in pixels is uniform in it. [0.1, 2].</summary>
    public Interval BlurDeviation { get; init; } = new(0.1, 2.0);

    /// <summary>Chance of inverting what is bright in a view. 0.2.</summary>
    public double Solarize { get; init; } = 0.2;

    /// <summary>Chances of blurring the first global view and the others, in place of <see cref="Blur"/>; null for that. Null. DINO's and iBOT's are
    /// [1, 0.1].</summary>
    public ChancePair? GlobalBlur { get; init; }

    /// <summary>Chances of inverting what is bright in the first global view and in the others, in place of <see cref="Solarize"/>; null for that.
    /// Null. DINO's and iBOT's are [0, 0.2].</summary>
    public ChancePair? GlobalSolarize { get; init; }

    /// <summary>What changes a view, as its crop's recipe has it.</summary>
    internal Augmentations Augmentations => new()
    {
        Flip = Flip,
        Jitter = new ColorJitter(Brightness, Contrast, Saturation, Hue),
        JitterChance = Jitter,
        Gray = Gray,
        Blur = Blur,
        BlurDeviation = BlurDeviation,
        Solarize = Solarize,
    };

    /// <summary>A global view.</summary>
    /// <param name="crop">The crop that section <c>data</c> describes.</param>
    internal TrainingTransform GlobalCrop(TrainingTransform crop) => crop with { Augmentations = Augmentations };

    /// <summary>All global views: one kind of them, or the first apart from the others where they are changed by other chances.</summary>
    /// <param name="crop">The crop that section <c>data</c> describes.</param>
    /// <param name="first">What the first (or all) are called.</param>
    /// <param name="others">What the others are called.</param>
    internal IReadOnlyList<View> GlobalViews(TrainingTransform crop, string first, string others)
    {
        TrainingTransform With(Func<ChancePair, double> which)
        {
            var all = Augmentations;
            return crop with
            {
                Augmentations = all with
                {
                    Blur = GlobalBlur is { } blur ? which(blur) : all.Blur,
                    Solarize = GlobalSolarize is { } solarize ? which(solarize) : all.Solarize,
                },
            };
        }

        var (one, rest) = (With(pair => pair.First), With(pair => pair.Others));
        return Global == 1 || one == rest ? [new View(first, one, Global)] : [new View(first, one), new View(others, rest, Global - 1)];
    }

    /// <summary>A local view.</summary>
    /// <param name="crop">The crop that section <c>data</c> describes.</param>
    internal TrainingTransform LocalCrop(TrainingTransform crop) => GlobalCrop(crop) with
    {
        CropSize = LocalSize,
        Crop = crop.Crop with { MinScale = LocalScale.Low, MaxScale = LocalScale.High },
    };
}
