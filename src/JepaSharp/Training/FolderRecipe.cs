using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Objectives;
using JepaSharp.Runtime;

namespace JepaSharp.Training;

/// <summary>What suits a folder of images: chosen from their number and size, their own colours, the machine's speed and the time there is.</summary>
/// <remarks>The constants for CPUs are those that learned most in equal time in the studies of <c>docs/experiments.md</c>; those for GPUs were never
/// run.</remarks>
public static class FolderRecipe
{
    /// <summary>Passes over the images beyond which nothing was ever tried.</summary>
    public const int MostPasses = 2000;

    /// <summary>How long a run takes where nothing is said.</summary>
    public static readonly TimeSpan UsualTime = TimeSpan.FromMinutes(30);

    /// <summary>What images are learned by on a CPU where nothing is said: MAE, which learned most from small folders in equal operations
    /// (<c>docs/decisions/0007</c>).</summary>
    public const string Objective = MaskedAutoencoder.ShortName;

    /// <summary>Why, and what brings the paper's method.</summary>
    public static SuggestionReason ObjectiveReason { get; } = new(
        $"objective {Objective}: in equal operations it learned most from folders of 3,000 to 5,000 images; "
            + $"--objective {ImageJepa.ShortName} for I-JEPA",
        "meta.objective");

    // Measures before and after, probes on the way and checkpoints take the rest.
    private const double ShareOfSteps = 0.94;
    private const int LookedAt = 4, KeptCheckpoints = 40, ManyImages = 20_000;
    private const double WarmUp = 0.07;
    private const int FewPixels = 48;

    // Of images that are all but one colour: dividing by less would blow their noise up.
    private const double LeastDeviation = 0.02;

    /// <summary>Everything but how long: network, crops, patches, normalisation, batch and rates.</summary>
    /// <param name="summary">How many images there are and how large.</param>
    /// <param name="colours">Their colours at a size in pixels; null: ImageNet's are taken.</param>
    /// <param name="onGpu">Whether a GPU does the work.</param>
    public static SuggestedOptions For(ImageSourceSummary summary, Func<int, PixelStatistics?> colours, bool onGpu)
    {
        ArgumentNullException.ThrowIfNull(summary);
        ArgumentNullException.ThrowIfNull(colours);
        var reasons = new List<SuggestionReason>();
        var side = summary.MedianShorterSide;
        var (crop, patch) = onGpu ? CropOnGpu(side) : side < FewPixels ? (32, 4) : (64, 8);
        reasons.Add(new($"crops of {crop} pixels in {patch}-pixel patches: the median shorter side of the images is {side}",
            "data.crop_size", "mask.patch_size"));
        var meta = onGpu ? NetworkOnGpu(summary.Count)
            : new MetaOptions { ModelName = "vit_tiny", EmbedDim = 128, Depth = 4, NumHeads = 4, PredDepth = 2, PredEmbDim = 64 };
        reasons.Add(new(
            onGpu ? $"{meta.ModelName}: {Quantity.Of(summary.Count, "image")} on a GPU"
                : "a network of 4 blocks, 128 wide: on a CPU it learns more in the same time than larger ones",
            "meta.model_name", "meta.depth", "meta.embed_dim"));
        var batch = BatchFor(summary.Count, onGpu);
        reasons.Add(new($"batches of {batch}: {Quantity.Of(summary.Count, "image")}", "data.batch_size"));
        var rate = onGpu ? 1e-3 : batch < 128 ? 1e-3 : 2e-3;
        reasons.Add(new(Invariant($"learning rate {rate}: for batches of {batch}"), "optimization.lr"));
        var data = new DataOptions { CropSize = crop, BatchSize = batch, CropScale = onGpu ? new DataOptions().CropScale : new Interval(0.5, 1.0) };
        if (colours(crop) is { } found)
        {
            data = data with { Mean = Rounded(found.Mean), Std = Rounded([.. found.Deviation.Select(d => Math.Max(d, LeastDeviation))]) };
            reasons.Add(new($"normalised by the images' own mean {data.Mean} and deviation {data.Std}, of {Quantity.Of(found.Images, "image")}",
                "data.mean", "data.std"));
        }

        return new(
            new PretrainOptions
            {
                Data = data,
                Mask = new MaskOptions { PatchSize = patch, MinKeep = crop / patch >= 12 ? 10 : 4 },
                Meta = meta,
                Optimization = new OptimizationOptions
                {
                    StartLr = rate / 10,
                    Lr = rate,
                    FinalLr = onGpu ? 1e-6 : 1e-5,
                    FinalWeightDecay = onGpu ? 0.4 : 0.1,
                    Ema = new MomentumRange(onGpu ? 0.996 : 0.99, 1.0),
                },
            },
            reasons);
    }

    /// <summary>So many passes that a run takes a given time on this machine.</summary>
    /// <param name="options">Everything else.</param>
    /// <param name="images">Images in the collection.</param>
    /// <param name="step">Time of a step, its images included.</param>
    /// <param name="time">Time that there is, for steps, measures and checkpoints.</param>
    public static SuggestedOptions Lasting(PretrainOptions options, int images, TimeSpan step, TimeSpan time)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(step, TimeSpan.Zero);
        var batch = options.Data.BatchSize * options.Optimization.Accumulate;
        var pass = step * Math.Max(1, images / batch);
        var paid = time * ShareOfSteps / pass;
        var epochs = (int)Math.Clamp(paid, 1, MostPasses);
        var speed = Invariant($"{batch / step.TotalSeconds:n0} images/s were measured");
        var whole = Quantity.Of(epochs, "pass", "passes") + " over the images, about " + Words(pass * epochs / ShareOfSteps);
        var reason = paid < 1 ? $"{whole}: one pass takes longer than the {Words(time)} aimed at ({speed})"
            : paid > MostPasses ? $"{whole}, where {Words(time)} were aimed at: more passes were never tried ({speed})"
            : $"{whole}: {speed}";
        return new(Making(options, epochs), [new(reason, "optimization.epochs")]);
    }

    /// <summary>So many passes, with a warm-up, measures and checkpoints that suit them.</summary>
    /// <param name="options">Everything else.</param>
    /// <param name="epochs">Passes over the images.</param>
    public static PretrainOptions Making(PretrainOptions options, int epochs)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options with
        {
            Optimization = options.Optimization with { Epochs = epochs, Warmup = WarmUp * Math.Max(0, epochs) },
            Logging = options.Logging with
            {
                EvaluateEvery = Math.Max(1, (epochs + LookedAt - 1) / LookedAt),
                CheckpointEvery = Math.Max(1, (epochs + KeptCheckpoints - 1) / KeptCheckpoints),
            },
        };
    }

    private static string Words(TimeSpan time) => time.TotalMinutes < 1.5 ? Invariant($"{time.TotalSeconds:F0} seconds")
        : time.TotalHours < 2 ? Invariant($"{time.TotalMinutes:F0} minutes") : Invariant($"{time.TotalHours:F1} hours");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static (int Crop, int Patch) CropOnGpu(int side) => side switch
    {
        < FewPixels => (32, 4),
        < 80 => (64, 8),
        < 200 => (128, 8),
        _ => (224, 16),
    };

    private static MetaOptions NetworkOnGpu(int images) => images < 50_000
        ? new MetaOptions { ModelName = "vit_small", PredDepth = 6, PredEmbDim = 192 }
        : new MetaOptions { ModelName = "vit_base", PredDepth = 6, PredEmbDim = 384 };

    private static int BatchFor(int images, bool onGpu)
    {
        if (!onGpu) return Math.Clamp(images, 1, images < ManyImages ? 64 : 128);
        var batch = 256;
        while (batch > 8 && images / batch < 40) batch /= 2;
        return Math.Max(1, Math.Min(batch, images));
    }

    private static ChannelTriple Rounded(IReadOnlyList<double> numbers) =>
        new(Math.Round(numbers[0], 3), Math.Round(numbers[1], 3), Math.Round(numbers[2], 3));
}
