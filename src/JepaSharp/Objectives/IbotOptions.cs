using System.Globalization;
using JepaSharp.Data.Loading;
using JepaSharp.Masking;
using JepaSharp.Models;

namespace JepaSharp.Objectives;

/// <summary>Draws which patches of a batch's large views are hidden.</summary>
/// <param name="indices">[B], index of each image in its source.</param>
/// <param name="step">What is drawn is keyed by it.</param>
/// <returns>[Q B] of [N], true for a hidden patch: of the first view of every image, then of the second.</returns>
public delegate IReadOnlyList<bool[]> HiddenDraw(IReadOnlyList<int> indices, Step step);

/// <summary>Everything that fixes an <see cref="Ibot"/>.</summary>
public sealed record IbotOptions
{
    /// <summary>Shape of both encoders: with a class token; published with learned positions, resized with an offset of 0.1.</summary>
    public required VisionTransformerShape Encoder { get; init; }

    /// <summary>Shape of both heads. Without <see cref="ProjectionHeadShape.PatchOutputs"/> patches share the class token's last layer, in the
    /// student and in the teacher.</summary>
    public ProjectionHeadShape Head { get => field ??= new ProjectionHeadShape(Encoder.Width, 2048, 256, 8192); init; }

    /// <summary>The large views, which the teacher sees too: Q in all.</summary>
    public IReadOnlyList<View> Global { get => field ??= new DinoOptions { Encoder = Encoder }.Global; init; }

    /// <summary>L small views of an image; null for none.</summary>
    public View? Local { get; init; }

    /// <summary>What is hidden of large views.</summary>
    public HiddenPatches Hidden { get; init; } = new([0, 0.3], [0, 0.2], HiddenShape.Block);

    /// <summary>Draws masks; <see cref="Hidden"/>'s, keyed by the micro-batch, image and view, where nothing is said.</summary>
    public HiddenDraw Masks { get => field ??= (indices, step) => HiddenViews.Draw(this, indices, step); init; }

    /// <summary>The first epoch, from 0, in which anything is hidden.</summary>
    public int FirstMaskedEpoch { get; init; }

    /// <summary>λ1: weight of the loss between views.</summary>
    public double ClassWeight { get; init; } = 1;

    /// <summary>λ2: weight of the loss of hidden patches.</summary>
    public double PatchWeight { get; init; } = 1;

    /// <summary>Temperature of the student's outputs.</summary>
    public double StudentTemperature { get; init; } = 0.1;

    /// <summary>Temperature of the teacher's outputs for class tokens.</summary>
    public TemperatureSchedule Temperature { get; init; } = new(0.04, 0.07, 50);

    /// <summary>Temperature of the teacher's outputs for patches.</summary>
    public TemperatureSchedule PatchTemperature { get; init; } = new(0.04, 0.07, 50);

    /// <summary>Share of the class tokens' centre that stays in a step.</summary>
    public double CenterMomentum { get; init; } = 0.9;

    /// <summary>Share of the patches' centre that stays in a step.</summary>
    public double PatchCenterMomentum { get; init; } = 0.9;

    /// <summary>Epochs at the start in which the student's last layers stay as they are.</summary>
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
    public IbotOptions Validated()
    {
        _ = new DinoOptions { Encoder = Encoder, Global = Global, Local = Local }.Validated();
        return this;
    }

    /// <summary>What is compared and hidden, as a sentence.</summary>
    internal string Words()
    {
        var ratios = string.Join(" or ", Hidden.Ratios.Zip(Hidden.Spreads, (r, v) => v > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{r - v:0.##} to {r + v:0.##}")
            : string.Create(CultureInfo.InvariantCulture, $"{r}")));
        var outputs = Head.PatchOutputs is { } own
            ? string.Create(CultureInfo.InvariantCulture, $"{Head.Outputs:n0} outputs, patches in {own:n0} of their own")
            : string.Create(CultureInfo.InvariantCulture, $"{Head.Outputs:n0} outputs, patches in the same");
        return string.Create(CultureInfo.InvariantCulture,
            $"compared: {DinoOptions.Of(Views)} of every image, in {outputs}; of a large view a share of {ratios} is hidden "
                + $"({(Hidden.Shape == HiddenShape.Block ? "in blocks" : "anywhere")}); the student at temperature {StudentTemperature}, the teacher "
                + $"at {DinoOptions.Words(Temperature)}, for patches at {DinoOptions.Words(PatchTemperature)}");
    }
}
