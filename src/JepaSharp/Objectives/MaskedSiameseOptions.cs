using System.Globalization;
using JepaSharp.Data.Augmentation;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Runtime;

namespace JepaSharp.Objectives;

/// <summary>Draws the patches of a masked view that an encoder sees: K of N, in the order in which it is given them.</summary>
/// <param name="step">What they are keyed by.</param>
/// <param name="item">0 for all views of a batch; else a number of the view's own.</param>
/// <param name="patches">N.</param>
/// <param name="kept">K.</param>
public delegate long[] PatchDraw(Step step, long item, int patches, int kept);

/// <summary>Everything that fixes a <see cref="MaskedSiamese"/>.</summary>
public sealed record MaskedSiameseOptions
{
    /// <summary>What the views are called.</summary>
    public const string TargetView = "target", AnchorView = "anchor", FocalView = "focal";

    /// <summary>Shape of the encoder: with a class token; published with learned positions.</summary>
    public required VisionTransformerShape Encoder { get; init; }

    /// <summary>One random view of an image, which the target encoder sees whole.</summary>
    public View Target { get => field ??= new View(TargetView, Random); init; }

    /// <summary>R random views of an image, of which the encoder sees some patches.</summary>
    public View Anchor { get => field ??= new View(AnchorView, Random); init; }

    /// <summary>F focal views, smaller crops of smaller parts, seen whole; null for none.</summary>
    public View? Focal { get; init; }

    /// <summary>Share of a masked view's patches that the encoder does not see: floor(N (1 - share)) are left.</summary>
    public double PatchDrop { get; init; } = 0.15;

    /// <summary>Whether every view is masked otherwise, rather than all of a batch alike.</summary>
    public bool MasksEachImage { get; init; }

    /// <summary>K: prototypes.</summary>
    public int Prototypes { get; init; } = 1024;

    /// <summary>Width of the head's hidden layers.</summary>
    public int Hidden { get; init; } = 2048;

    /// <summary>d: numbers of a projection, and of a prototype.</summary>
    public int Projection { get; init; } = 256;

    /// <summary>How views are shared out among prototypes, and the weights of the loss's terms.</summary>
    public PrototypeLoss Loss { get; init; } = new();

    /// <summary>T of the targets in the first step.</summary>
    public double StartSharpening { get; init; } = 0.25;

    /// <summary>T that the end of the schedules approaches, linearly.</summary>
    public double FinalSharpening { get; init; } = 0.25;

    /// <summary>Draws the patches that are kept; every choice as likely, where nothing is said.</summary>
    public PatchDraw Draw { get => field ??= Permuted; init; }

    /// <summary>Seed of the initial weights.</summary>
    public ulong Seed { get; init; }

    /// <summary>In the order in which they are made of an image.</summary>
    internal IReadOnlyList<View> Views => Focal is null ? [Target, Anchor] : [Target, Anchor, Focal];

    /// <summary>V: views that are compared with the target.</summary>
    internal int Anchors => Anchor.Count + (Focal?.Count ?? 0);

    /// <summary>Patches of a masked view that the encoder sees.</summary>
    internal int Kept => PatchDrop == 0 ? Encoder.Patches : RandomPatches.KeptOf(Encoder.Patches, PatchDrop);

    /// <summary>The head's widths.</summary>
    internal ProjectorShape Head => new(Encoder.Width, Hidden, Projection) { Activation = ProjectorActivation.Gelu };

    /// <summary>T of a step.</summary>
    /// <param name="progress">Share of the schedules that is done before it.</param>
    internal double SharpeningAt(double progress) => StartSharpening + ((FinalSharpening - StartSharpening) * progress);

    /// <summary>What is compared, as a sentence.</summary>
    internal string Words()
    {
        static string Counted(View view) => $"{view.Count} of {view.Transform.CropSize} pixels";
        var focal = Focal is null ? "" : $" and {Counted(Focal)} seen whole";
        return string.Create(CultureInfo.InvariantCulture,
            $"compared: with one view of every image, {Counted(Anchor)} of which {Kept} of {Encoder.Patches} patches are seen{focal}, each by its "
                + $"shares of {Prototypes:n0} prototypes");
    }

    /// <summary>What fewer images than prototypes mean for balanced targets, as a sentence.</summary>
    /// <param name="images">Images of a step.</param>
    internal string WordsOnStep(int images)
    {
        var each = (double)Prototypes / images;
        return string.Create(CultureInfo.InvariantCulture,
            $"{images:n0} images of a step are fewer than {Prototypes:n0} prototypes: balanced targets spread each image over {each:0.#} of them at "
                + $"least (published: as many prototypes as images)");
    }

    private TrainingTransform Random => new()
    {
        CropSize = Encoder.ImageHeight,
        Crop = new RandomResizedCrop { MinScale = 0.3 },
        Augmentations = new Augmentations { Flip = 0.5, Jitter = new ColorJitter(0.4, 0.4, 0.4, 0.1), Gray = 0.2, Blur = 0.5 },
    };

    private static long[] Permuted(Step step, long item, int patches, int kept)
    {
        long[] order = [.. Enumerable.Range(0, patches).Select(patch => (long)patch)];
        var stream = step.Random(RandomPurpose.Objective, item);
        stream.Shuffle<long>(order);
        return order[..kept];
    }
}
