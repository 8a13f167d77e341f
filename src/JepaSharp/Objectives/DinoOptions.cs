using System.Globalization;
using JepaSharp.Data.Augmentation;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Models;

namespace JepaSharp.Objectives;

/// <summary>Everything that fixes a <see cref="Dino"/>.</summary>
public sealed record DinoOptions
{
    /// <summary>Shape of both encoders: with a class token; published with learned positions, resized with an offset of 0.1.</summary>
    public required VisionTransformerShape Encoder { get; init; }

    /// <summary>Shape of both heads.</summary>
    public ProjectionHeadShape Head { get => field ??= new ProjectionHeadShape(Encoder.Width, 2048, 256, 65536); init; }

    /// <summary>The large views, which the teacher sees too: Q in all.</summary>
    public IReadOnlyList<View> Global { get => field ??= DefaultViews(Encoder.ImageHeight); init; }

    /// <summary>L small views of an image; null for none.</summary>
    public View? Local { get; init; }

    /// <summary>Temperature of the student's outputs.</summary>
    public double StudentTemperature { get; init; } = 0.1;

    /// <summary>Temperature of the teacher's outputs.</summary>
    public TemperatureSchedule Temperature { get; init; } = new(0.04, 0.07, 50);

    /// <summary>Share of the centre that stays in a step.</summary>
    public double CenterMomentum { get; init; } = 0.9;

    /// <summary>Epochs at the start in which the student's last layer stays as it is.</summary>
    public int FrozenEpochs { get; init; } = 3;

    /// <summary>Rate of stochastic depth in the student's last block. 0: none.</summary>
    public double DropPath { get; init; }

    /// <summary>Seed of the initial weights.</summary>
    public ulong Seed { get; init; }

    /// <summary>Large views, then small ones.</summary>
    internal IReadOnlyList<View> Views => Local is null ? Global : [.. Global, Local];

    /// <summary>Q.</summary>
    internal int LargeViews => Global.Sum(v => v.Count);

    /// <summary>Checks that there is something to compare.</summary>
    /// <exception cref="ArgumentException">There is no class token, or there are no two views.</exception>
    public DinoOptions Validated()
    {
        if (!Encoder.ClassToken) throw new ArgumentException("What is compared is made of a class token: the encoder has none.");
        if (LargeViews < 1 || Views.Sum(v => v.Count) < 2)
            throw new ArgumentException($"{LargeViews} large views and {Local?.Count ?? 0} small ones: expected a large one and another to compare.");
        return this;
    }

    /// <summary>What is compared, as a sentence.</summary>
    internal string Words() => string.Create(CultureInfo.InvariantCulture,
        $"compared: {Of(Views)} of every image, in {Head.Outputs:n0} outputs; the student at temperature {StudentTemperature}, the teacher at "
            + $"{Words(Temperature)}");

    /// <summary>Views as a part of a sentence.</summary>
    internal static string Of(IEnumerable<View> views) =>
        string.Join(" and ", views.Select(v => $"{v.Count} {v.Name} of {v.Transform.CropSize} pixels"));

    /// <summary>A temperature as a part of a sentence.</summary>
    internal static string Words(TemperatureSchedule t) => t.Start == t.End || t.WarmupEpochs + t.Wait == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{t.End}")
        : string.Create(CultureInfo.InvariantCulture, $"{t.Start}, and {t.End} from epoch {t.WarmupEpochs + t.Wait} on");

    private static View[] DefaultViews(int side)
    {
        View Of(string name, double blur, double solarize) => new(name, new TrainingTransform
        {
            CropSize = side,
            Crop = new RandomResizedCrop { MinScale = 0.25 },
            Filter = ResampleFilter.Bicubic,
            Augmentations = new Augmentations
            {
                Flip = 0.5,
                Jitter = new ColorJitter(0.4, 0.4, 0.2, 0.1),
                Gray = 0.2,
                Blur = blur,
                Solarize = solarize,
            },
        });
        return [Of("large 1", 1, 0), Of("large 2", 0.1, 0.2)];
    }
}
