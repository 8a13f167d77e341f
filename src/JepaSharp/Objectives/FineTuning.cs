using System.Globalization;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>Trains an encoder further on labelled images, with a linear head on the average of its patches.</summary>
/// <remarks>
/// The recipe of MAE (He et al., 2022, appendix A.1): AdamW with layer-wise learning rates, random crops and flips, mixup and CutMix, label
/// smoothing; and a moving average of the weights, which is what is scored. Deviations: no RandAugment and no drop path; the encoder's own last norm
/// is kept, before the average.
/// </remarks>
public sealed class FineTuning : Objective
{
    /// <summary>Its name in configurations and files.</summary>
    public const string ShortName = "fine-tuning";

    private readonly View _view;
    private readonly IReadOnlyList<int> _labels;
    private readonly VisionTransformer _trained;
    private readonly LinearHead _trainedHead;

    /// <summary>Copies an encoder, and puts a new head on the copy.</summary>
    /// <param name="start">The encoder to begin with; not changed.</param>
    /// <param name="labels">Class of each image of the source, in 0 to <paramref name="classes"/> - 1.</param>
    /// <param name="classes">K.</param>
    /// <param name="size">H = W of the crops in pixels.</param>
    /// <param name="options">The recipe.</param>
    /// <param name="device">Where the networks live. Null: the CPU.</param>
    /// <exception cref="JepaException">All images are of one class.</exception>
    public FineTuning(VisionTransformer start, IReadOnlyList<int> labels, int classes, int size, FineTuneOptions options, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(start);
        ArgumentNullException.ThrowIfNull(options);
        if (labels.Distinct().Count() < 2)
            throw new JepaException(
                "All images to train on are of one class: there is nothing to tell apart. Expected at least 2 classes.", isUsage: true);
        (Options, _labels, _view) = (options, labels, ViewOf(options, size));
        (_trained, Encoder) = (new VisionTransformer(start.Shape, device), new VisionTransformer(start.Shape, device));
        (_trainedHead, Head) = (new LinearHead(start.Shape.Width, classes, device), new LinearHead(start.Shape.Width, classes, device));
        Networks =
        [
            new("encoder", _trained, NetworkRole.Trained) { RateOf = LayerRates.Of(start.Shape.Depth, options.LayerDecay) },
            new("head", _trainedHead, NetworkRole.Trained),
            new("averaged_encoder", Encoder, NetworkRole.Average, Follows: "encoder") { MomentumAt = MomentumAt },
            new("averaged_head", Head, NetworkRole.Average, Follows: "head") { MomentumAt = MomentumAt },
        ];
        Copy(start, _trained);
        Copy(start, Encoder);
        _trainedHead.Initialize(new RandomStream((ulong)options.Seed, RandomPurpose.Evaluation, epoch: -1));
        StartAverage(Encoder, _trained);
        StartAverage(Head, _trainedHead);
    }

    /// <summary>The recipe.</summary>
    public FineTuneOptions Options { get; }

    /// <summary>The moving average of the head that learns by gradient: to be used with <see cref="Encoder"/>.</summary>
    public LinearHead Head { get; }

    /// <inheritdoc/>
    public override string Name => ShortName;

    /// <inheritdoc/>
    public override IReadOnlyList<Network> Networks { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<View> Views => [_view];

    /// <summary>The moving average of the encoder that learns by gradient.</summary>
    public override VisionTransformer Encoder { get; }

    /// <summary>Cross-entropy of mixed images with their mixed, smoothed labels.</summary>
    /// <inheritdoc/>
    public override Tensor Loss(ViewBatch batch, Step step)
    {
        using var scope = NewDisposeScope();
        var (images, targets) = Mixed(batch, step);
        step.Count(Operations(batch.Indices, step));
        return Loss(Logits(_trained, _trainedHead, images), targets).MoveToOuterDisposeScope();
    }

    /// <summary>Cross-entropy with smoothed targets: 1 - s of what they are, and s dealt out evenly. -> [].</summary>
    /// <param name="logits">float32 [B, K].</param>
    /// <param name="targets">What each class is given, float32 [B, K]; each row sums to 1.</param>
    public Tensor Loss(Tensor logits, Tensor targets) => nn.functional.cross_entropy(logits, targets, label_smoothing: Options.Smoothing);

    /// <summary>Normalised images [B, C, H, W] -> logits float32 [B, K], by the average over an encoder's patches and a head.</summary>
    public static Tensor Logits(VisionTransformer encoder, LinearHead head, Tensor images)
    {
        using var scope = NewDisposeScope();
        return head.forward(EncodedTokens.Patches(encoder.forward(images).to(float32), encoder.Shape).mean([1L])).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override ObjectiveCost Cost(IReadOnlyList<int> indices, Step step)
    {
        var shape = Encoder.Shape;
        var side = _view.Transform.CropSize / shape.PatchSize;
        var seen = ObjectiveCost.OfBlocks(shape.Depth, shape.Width, shape.MlpWidth, side * side);
        return new ObjectiveCost(seen, seen, 0, 3 * seen); // the averages see nothing
    }

    /// <summary>The trained encoder and head; the averages see nothing.</summary>
    /// <inheritdoc/>
    public override StepOperations Operations(IReadOnlyList<int> indices, Step step)
    {
        var (shape, side) = (Encoder.Shape, _view.Transform.CropSize / Encoder.Shape.PatchSize);
        return new StepOperations(
        [
            NetworkOperations.OfEncoder("encoder", NetworkRole.Trained, shape, indices.Count, side * side),
            NetworkOperations.OfHead("head", indices.Count, shape.Width, Head.Outputs),
        ]);
    }

    private static View ViewOf(FineTuneOptions options, int size) => new("image", new TrainingTransform
    {
        CropSize = size,
        Crop = new RandomResizedCrop { MinScale = options.CropScale },
        Filter = ResampleFilter.Bicubic,
        UseHorizontalFlip = options.Flip,
    });

    /// <summary>All weights, tables of positions included.</summary>
    internal static void Copy(nn.Module from, nn.Module to)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var known = from.state_dict();
        foreach (var (name, tensor) in to.state_dict()) _ = tensor.copy_(known[name]);
    }

    private double MomentumAt(long step) => Math.Min(Options.Average, (1.0 + step) / (10 + step));

    private (Tensor Images, Tensor Targets) Mixed(ViewBatch batch, Step step)
    {
        using var untracked = no_grad();
        var images = batch[_view.Name];
        var labels = tensor(batch.Indices.Select(i => (long)_labels[i]).ToArray(), device: images.device);
        var random = step.Random();
        return BatchMixing.Apply(images, nn.functional.one_hot(labels, Head.Outputs).to(float32), Options, ref random);
    }
}

/// <summary>Layer-wise learning rates: layer l of L + 1 learns at decay^(L - l) of the rate (Clark et al., ELECTRA, 2020; Bao et al., BEiT,
/// 2022).</summary>
/// <remarks>Layer 0 is what comes before the blocks, block i is layer i + 1, and the last norm is of layer L, like the head.</remarks>
public static class LayerRates
{
    private static readonly string[] BeforeTheBlocks = ["patch_embed.", "pos_embed", "cls_token", "mask_token"];

    /// <summary>The share of the learning rate that a parameter of an encoder gets.</summary>
    /// <param name="depth">The encoder's blocks.</param>
    /// <param name="decay">Each layer's rate as a share of the next one's, in (0, 1].</param>
    /// <returns>From a parameter's name in the encoder, such as <c>blocks.0.norm1.weight</c>.</returns>
    public static Func<string, double> Of(int depth, double decay) => name => Math.Pow(decay, depth + 1 - LayerOf(name, depth));

    private static int LayerOf(string name, int depth)
    {
        if (Array.Exists(BeforeTheBlocks, start => name.StartsWith(start, StringComparison.Ordinal))) return 0;
        return name.StartsWith("blocks.", StringComparison.Ordinal) ? int.Parse(name.Split('.')[1], CultureInfo.InvariantCulture) + 1 : depth + 1;
    }
}
