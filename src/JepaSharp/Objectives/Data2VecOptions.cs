using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Data.Augmentation;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Runtime;

namespace JepaSharp.Objectives;

/// <summary>Draws the mask of one image.</summary>
/// <param name="seed">The run's seed.</param>
/// <param name="microBatch">Number of the micro-batch in the whole run.</param>
/// <param name="image">Index of the image in its source.</param>
/// <returns>[N], true where a patch is masked.</returns>
public delegate bool[] PatchMaskDraw(ulong seed, long microBatch, int image);

/// <summary>Everything that fixes a <see cref="Data2Vec"/>.</summary>
public sealed record Data2VecOptions
{
    /// <summary>Shape of student and teacher: with a class token and a mask token.</summary>
    public required VisionTransformerShape Encoder { get; init; }

    /// <summary>Patches to mask in each image, by rectangles.</summary>
    public BlockwiseMasking Masking
    {
        get => field ??= new BlockwiseMasking { Grid = Grid, Patches = PatchesOf(Encoder) };
        init;
    }

    /// <summary>Draws the masks; by <see cref="Masking"/>, keyed by the run's seed, the micro-batch and the image, where nothing is said.</summary>
    public PatchMaskDraw Draw
    {
        get => field ?? ((seed, microBatch, image) => Masking.Draw(new RandomStream(seed, RandomPurpose.Objective, microBatch, image)));
        init;
    }

    /// <summary>Blocks of the teacher whose outputs are averaged, from 0, ascending; the last half where nothing is said.</summary>
    public IReadOnlyList<int> TargetBlocks
    {
        get => field ??= [.. Enumerable.Range(Encoder.Depth / 2, Encoder.Depth - (Encoder.Depth / 2))];
        init;
    }

    /// <summary>What of a block is a target.</summary>
    public Data2VecTarget Target { get; init; } = Data2VecTarget.Output;

    /// <summary>Whether each block's output is layer-normed before the mean.</summary>
    public bool NormalizesBlocks { get; init; } = true;

    /// <summary>Whether the mean is layer-normed.</summary>
    public bool NormalizesMean { get; init; } = true;

    /// <summary>β of the smooth L1 distance: half the square over β below it, the absolute difference less β / 2 above.</summary>
    public double Beta { get; init; } = 2;

    /// <summary>What the loss is multiplied by.</summary>
    public double LossScale { get; init; } = 1;

    /// <summary>Weight of the term that holds the deviation of predictions, over the masked patches of a batch, above 0.5; 0 for none.</summary>
    public double Variance { get; init; }

    /// <summary>Rate of stochastic depth in the student's last block.</summary>
    public double DropPath { get; init; }

    /// <summary>γ of every block to begin with, where the encoder has layer scale.</summary>
    public double LayerScale { get; init; } = 1e-4;

    /// <summary>Momentum of the teacher after a step, from 1.</summary>
    public Func<long, double> Momentum { get; init; } = _ => 0.9998;

    /// <summary>Whether the teacher's places in the table of relative positions are averaged with the student's, as in the published program, so that
    /// some come to be off by one: see docs/faithfulness.md.</summary>
    public bool AveragesPlaces { get; init; }

    /// <summary>The crop that is made of an image.</summary>
    public View View
    {
        get => field ??= new View("image", new TrainingTransform
        {
            CropSize = Encoder.ImageHeight,
            Crop = new RandomResizedCrop { MinScale = 0.08 },
            Filter = ResampleFilter.Bicubic,
            Augmentations = new Augmentations { Flip = 0.5, Jitter = new ColorJitter(0.4, 0.4, 0.4, 0), JitterChance = 1 },
        });
        init;
    }

    /// <summary>Seed of the initial weights.</summary>
    public ulong Seed { get; init; }

    /// <summary>Patches to mask for as large a share as the published 120 of 196, at least one.</summary>
    internal static int PatchesOf(VisionTransformerShape encoder) => Math.Max(1, encoder.Patches * 120 / 196);

    internal PatchGrid Grid => new(Encoder.GridHeight, Encoder.GridWidth);

    /// <summary>A momentum that rises linearly over some steps, and stays.</summary>
    /// <param name="start">Of the first step.</param>
    /// <param name="end">Of the step after the last that it rises over, and of all others.</param>
    /// <param name="steps">Steps that it rises over; 0: it is the end's from the first step on.</param>
    public static Func<long, double> Rising(double start, double end, long steps) =>
        step => step <= steps ? start + ((step - 1) * (end - start) / steps) : end;

    /// <summary>What is asked, as a sentence.</summary>
    internal string Words() => string.Create(CultureInfo.InvariantCulture,
        $"asked: with up to {Masking.Patches} of {Encoder.Patches} patches masked, the mean of what {TargetBlocks.Count} of the teacher's "
            + $"{Encoder.Depth} blocks say of each of them in the whole image");
}
