using JepaSharp.Configuration;
using JepaSharp.Data;
using JepaSharp.Data.Loading;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>
/// I-JEPA: from one context block of an image, predict the representations of several target blocks of the same image
/// (Assran et al., CVPR 2023, section 3, figure 3).
/// </summary>
/// <remarks>
/// Shapes: B images, C channels, H W pixels, N patches, D width; Mc context blocks of Kc patches and Mt target blocks of Kt patches an image.
/// </remarks>
public sealed class ImageJepa : Objective
{
    /// <summary>Its name in configurations and files.</summary>
    public const string ShortName = "ijepa";

    /// <summary>The number that it reports of contexts: patches in each, under the name that the published log gives it.</summary>
    public const string ContextPatches = "mask-A";

    private const string TargetPatches = "mask-B", Variance = "variance", Covariance = "covariance";

    private readonly View _view;

    /// <summary>Builds the three networks. The target encoder starts as a copy of the context encoder.</summary>
    /// <param name="options">Shapes, masks, view, distance and seed.</param>
    /// <param name="device">Where the networks live. Null: the CPU.</param>
    public ImageJepa(ImageJepaOptions options, Device? device = null)
    {
        (Options, _view) = (options, options.View);
        ContextEncoder = new VisionTransformer(options.Encoder, device);
        var predictor = options.Predictor with { Outputs = ImageJepaOptions.OutputsOf(options.Target, options.Encoder) };
        Predictor = new Predictor(predictor, options.Encoder, device);
        TargetEncoder = new VisionTransformer(options.Encoder, device);
        Networks =
        [
            new("encoder", ContextEncoder, NetworkRole.Trained) { Title = "context encoder" },
            new("predictor", Predictor, NetworkRole.Trained),
            new("target_encoder", TargetEncoder, NetworkRole.Average, Follows: "encoder"),
        ];
        if (device?.type == DeviceType.META) return;

        Initialization.Initialize(ContextEncoder, options.Seed, stream: 0);
        Initialization.Initialize(Predictor, options.Seed, stream: 1);
        StartAverage(TargetEncoder, ContextEncoder);
    }

    /// <summary>Shapes, masks, view and distance.</summary>
    public ImageJepaOptions Options { get; }

    /// <summary>f: encodes context blocks; learns by gradient.</summary>
    public VisionTransformer ContextEncoder { get; }

    /// <summary>g: predicts target representations from context representations; learns by gradient.</summary>
    public Predictor Predictor { get; }

    /// <summary>f̄: encodes whole images; the moving average of <see cref="ContextEncoder"/>, and the encoder to use afterwards. Where pixels are
    /// predicted it is that alone.</summary>
    public VisionTransformer TargetEncoder { get; }

    /// <inheritdoc/>
    public override string Name => ShortName;

    /// <inheritdoc/>
    public override IReadOnlyList<Network> Networks { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<View> Views => [_view];

    /// <inheritdoc/>
    public override VisionTransformer Encoder => TargetEncoder;

    /// <summary>Pixels are what they are; what an encoder says can become the same of everything.</summary>
    /// <inheritdoc/>
    public override bool TargetsAreFixed => Options.Target != JepaTarget.Representations;

    /// <summary>Kc and Kt, under the names that the published log gives them; C-JEPA's two terms, where they are asked for.</summary>
    public override IReadOnlyList<string> Numbers =>
        Options.KeepsApart ? [ContextPatches, TargetPatches, Variance, Covariance] : [ContextPatches, TargetPatches];

    /// <summary>The mean distance between predictions and targets, over all target patches of the batch; and C-JEPA's terms, where they are asked
    /// for.</summary>
    /// <inheritdoc/>
    public override Tensor Loss(ViewBatch batch, Step step)
    {
        using var scope = NewDisposeScope();
        var images = batch[_view.Name];
        var drawn = DrawMasks(batch.Indices, step);
        step.Count(JepaOperations.Of(Options, drawn));
        using var masks = JepaMasks.Of(drawn, images.device);
        step.Report(ContextPatches, masks.Context.PatchesPerSet);
        step.Report(TargetPatches, masks.Targets.PatchesPerSet);
        return Loss(images, masks, step, Options.KeepsApart).MoveToOuterDisposeScope();
    }

    /// <summary>Where C-JEPA's terms are asked for, those alone.</summary>
    /// <inheritdoc/>
    public override bool ComparesImages => Options.KeepsApart;

    /// <summary>The average over each context's patches: float32 [Mc, B, D].</summary>
    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Features(ViewBatch batch, Step step)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var images = batch[_view.Name];
        using var masks = JepaMasks.Of(DrawMasks(batch.Indices, step), images.device);
        return [Averages(ContextEncoder.Encode(images, masks.Context), masks).MoveToOuterDisposeScope()];
    }

    /// <summary>C-JEPA's terms, weighted.</summary>
    /// <inheritdoc/>
    public override Tensor Compare(IReadOnlyList<Tensor> features, Step step)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(step);
        using var scope = NewDisposeScope();
        var (variance, covariance) = VarianceCovariance.Of(features[0].flatten(0, 1));
        step.Report(Variance, variance);
        step.Report(Covariance, covariance);
        return variance.Multiply(Options.Variance).Add(covariance.Multiply(Options.Covariance)).MoveToOuterDisposeScope();
    }

    /// <summary>The mean distance with masks that are given, and nothing beside it. -> [].</summary>
    /// <param name="images">Normalised pixels [B, C, H, W].</param>
    /// <param name="masks">The batch's context and target blocks.</param>
    /// <param name="step">Where the run stands.</param>
    public Tensor Loss(Tensor images, JepaMasks masks, Step step) => Loss(images, masks, step, keepsApart: false);

    private Tensor Loss(Tensor images, JepaMasks masks, Step step, bool keepsApart)
    {
        using var scope = NewDisposeScope();
        // Targets: the whole image through the target encoder; of its output, the patches of each target block.
        var targets = Targets(images, masks);
        // Context: the patches of the context block alone through the context encoder.
        var context = ContextEncoder.Encode(images, masks.Context);
        Tensor? apart = null;
        if (keepsApart)
        {
            context = step.Cut(context);
            apart = step.Backward(step.Compare([Averages(context, masks)], Compare), downTo: context);
        }

        // Prediction: told the context and where a target block lies. A mean over blocks, one after the other: one at a time is kept in memory.
        var seen = step.Cut(Predictor.Embed(context, masks.Context));
        var asked = step.InParts ? masks.Targets.Sets : 1;
        var losses = targets.chunk(asked, 0).Select((target, block) =>
        {
            using var inner = NewDisposeScope();
            using var patches = step.InParts ? masks.Targets.Only(block) : null;
            var predictions = Predictor.PredictFrom(seen, masks.Context, patches ?? masks.Targets).to(float32);
            return step.Backward(Distance(predictions, target), downTo: seen, share: 1.0 / asked).MoveToOuterDisposeScope();
        }).ToList();
        var loss = losses is [var only] ? only : stack(losses).sum();
        return (apart is null ? loss : loss.Add(apart.to(loss.dtype))).MoveToOuterDisposeScope();
    }

    /// <summary>[Mc B, Kc, D] -> float32 [Mc, B, D].</summary>
    private static Tensor Averages(Tensor context, JepaMasks masks)
    {
        using var scope = NewDisposeScope();
        return context.to(float32).mean([1L]).view(masks.Context.Sets, -1, context.shape[^1]).MoveToOuterDisposeScope();
    }

    /// <summary>s(y): what the target encoder says of the target patches, layer-normed. No gradient. -> float32 [Mt Mc B, Kt, D].</summary>
    /// <remarks>The whole image is encoded and then cut: target patches see all of it (paper, section 3, "Targets"). Other targets, which the paper
    /// compares with these: <see cref="ImageJepaOptions.Target"/> and <see cref="ImageJepaOptions.MaskTarget"/>.</remarks>
    public Tensor Targets(Tensor images, JepaMasks masks)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        return masks.ForEveryContext(JepaTargets.Of(this, images, masks.Targets)).MoveToOuterDisposeScope();
    }

    /// <summary>ŝ(y): the predictor's guess from the context. -> float32 [Mt Mc B, Kt, D], with gradients.</summary>
    public Tensor Predict(Tensor images, JepaMasks masks)
    {
        using var scope = NewDisposeScope();
        return Predictor.Predict(ContextEncoder.Encode(images, masks.Context), masks.Context, masks.Targets).to(float32).MoveToOuterDisposeScope();
    }

    /// <summary>Mean distance over patches and dimensions. Both [..., D] -> [].</summary>
    public Tensor Distance(Tensor predictions, Tensor targets) => PatchDistance.Mean(predictions, targets, Options.Loss);

    /// <summary>The batch's context and target blocks.</summary>
    public MaskBatch DrawMasks(IReadOnlyList<int> indices, Step step) => Options.Masks(step.Seed, step.MicroBatch, [.. indices.Select(i => (long)i)]);

    /// <summary>How much of an image is context and how much target, once contexts are cut to one length.</summary>
    /// <inheritdoc/>
    public override IReadOnlyList<string> Describe(int images, int batches, ulong seed) =>
        [$"asked: {MaskSurvey.Of(Options.Masks, seed, images)}{JepaTargets.Note(Options.Target, Options.MaskTarget)}"];

    /// <summary>Layer norm over the last axis without scale and shift: what is predicted. [..., D] -> float32 [..., D].</summary>
    /// <remarks>With PyTorch's default epsilon, as the published code, not the encoder's 1e-6.</remarks>
    internal static Tensor Normalized(Tensor h) => PatchDistance.Normalize(h, epsilon: 1e-5);

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Measure(MonitoredImages images) => ImageJepaMeasures.Of(this, images);

    /// <summary>The mean over the patches of an image's context blocks.</summary>
    /// <inheritdoc/>
    public override Tensor EncodePart(Tensor images, IReadOnlyList<int> indices, Step step) =>
        ImageJepaMeasures.EncodeContext(this, images, DrawMasks(indices, step));

    /// <inheritdoc/>
    public override ObjectiveCost Cost(IReadOnlyList<int> indices, Step step) => ImageJepaMeasures.CostOf(Options, DrawMasks(indices, step));

    /// <inheritdoc/>
    public override StepOperations Operations(IReadOnlyList<int> indices, Step step) => JepaOperations.Of(Options, DrawMasks(indices, step));

    /// <inheritdoc/>
    public override ObjectivePictures Draw(IReadOnlyList<RgbImage> images, IReadOnlyList<int> indices, Step step, int zoom) =>
        ObjectivePictures.OfMasks(images, DrawMasks(indices, step), JepaTargets.Question(Options), zoom);
}
