using System.Globalization;
using JepaSharp.Data.Augmentation;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Models;

namespace JepaSharp.Objectives;

/// <summary>Everything that fixes a <see cref="LeJepa"/>.</summary>
public sealed record LeJepaOptions
{
    /// <summary>What global and local views are called.</summary>
    public const string GlobalView = "global", LocalView = "local";

    /// <summary>Shape of the encoder: with a class token; published with learned positions, resized as timm does.</summary>
    public required VisionTransformerShape Encoder { get; init; }

    /// <summary>G global views of an image, whose mean projection all views are compared with.</summary>
    public View Global
    {
        get => field ??= new View(GlobalView, new TrainingTransform { CropSize = Encoder.ImageHeight, Augmentations = Changes }, Count: 2);
        init;
    }

    /// <summary>L local views of an image; null for none.</summary>
    public View? Local { get; init; }

    /// <summary>λ: share of the statistic in the loss.</summary>
    public double Lambda { get; init; } = 0.05;

    /// <summary>M: directions in which projections are compared with a Gaussian.</summary>
    public int Directions { get; init; } = 1024;

    /// <summary>q: knots of the statistic, odd.</summary>
    public int Knots { get; init; } = 17;

    /// <summary>The largest knot.</summary>
    public double LargestKnot { get; init; } = 3;

    /// <summary>Numbers of an embedding.</summary>
    public int Embedding { get; init; } = 512;

    /// <summary>Width of the projector's hidden layers.</summary>
    public int Hidden { get; init; } = 2048;

    /// <summary>K: numbers of a projection.</summary>
    public int Projection { get; init; } = 16;

    /// <summary>Draws the directions; uniform ones where nothing is said.</summary>
    public DirectionDraw Draw { get; init; } = RandomDirections.Draw;

    /// <summary>Seed of the initial weights.</summary>
    public ulong Seed { get; init; }

    /// <summary>Global views, then local ones.</summary>
    internal IReadOnlyList<View> Views => Local is null ? [Global] : [Global, Local];

    /// <summary>What is compared, as a sentence.</summary>
    /// <param name="images">Images of a step.</param>
    internal string Words(int images)
    {
        static string Of(View view) => $"{view.Count} {view.Name} of {view.Transform.CropSize} pixels";
        return string.Create(CultureInfo.InvariantCulture,
            $"compared: {string.Join(" and ", Views.Select(Of))} of every image, in {Projection} numbers; each view of {images:n0} images is a "
                + $"sample that is held against a Gaussian in {Directions:n0} directions, with a share of {Lambda} in the loss");
    }

    private static Augmentations Changes => new()
    {
        Flip = 0.5,
        Jitter = new ColorJitter(0.4, 0.4, 0.2, 0.1),
        Gray = 0.2,
        Blur = 0.5,
        Solarize = 0.2,
    };
}
