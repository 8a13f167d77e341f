using JepaSharp.Configuration;
using JepaSharp.Data;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>
/// MSN: masked and small views of an image are to be like the prototypes that another view of it, which a moving average of the encoder sees whole,
/// is like (Assran et al., "Masked Siamese networks for label-efficient learning", ECCV 2022).
/// </summary>
/// <remarks>
/// Shapes: B images; one target view, R masked and F small anchors of each, V = R + F; D width, d numbers of a projection, K prototypes. Where paper
/// and published code differ, and what was chosen: docs/faithfulness.md.
/// </remarks>
public sealed class MaskedSiamese : Objective
{
    /// <summary>Its name in configurations and files.</summary>
    public const string ShortName = MetaOptions.MaskedSiamese;

    internal const string CrossEntropy = "cross_entropy", MeanEntropy = "mean_entropy", Entropy = "entropy", Used = "prototypes_used",
        Largest = "largest_target";

    private readonly List<RunningStatistics> _running = [], _ofTarget = [];

    /// <summary>Builds encoder, head and prototypes, and the averages of the first two.</summary>
    /// <param name="options">Shapes, views, weights of the loss's terms and seed.</param>
    /// <param name="device">Where the networks live. Null: the CPU.</param>
    /// <exception cref="ArgumentException">The encoder has no class token, or no patch would be left.</exception>
    public MaskedSiamese(MaskedSiameseOptions options, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!options.Encoder.ClassToken)
            throw new ArgumentException("MSN's projection is made of a class token: the encoder has none.", nameof(options));
        if (options.Kept < 1)
            throw new ArgumentException(
                $"A share of {options.PatchDrop} keeps none of {options.Encoder.Patches} patches: expected at least one.", nameof(options));
        Options = options;
        (AnchorEncoder, Encoder) = (new VisionTransformer(options.Encoder, device), new VisionTransformer(options.Encoder, device));
        (Head, TargetHead) = (new Projector(options.Head, device), new Projector(options.Head, device));
        Prototypes = new Prototypes(options.Prototypes, options.Projection, device);
        Networks =
        [
            new("encoder", AnchorEncoder, NetworkRole.Trained),
            new("head", Head, NetworkRole.Trained),
            new("prototypes", Prototypes, NetworkRole.Trained) { Decays = _ => false, IsClipped = false },
            new("target_encoder", Encoder, NetworkRole.Average, "encoder"),
            new("target_head", TargetHead, NetworkRole.Average, "head"),
        ];
        if (device?.type == DeviceType.META) return;

        foreach (var running in (List<RunningStatistics>[])[_running, _ofTarget])
            for (var i = 0; i < Projector.Norms; i++) running.Add(RunningStatistics.New(options.Hidden, device));
        MaskedSiameseInitialization.Of(this);
        StartAverage(Encoder, AnchorEncoder);
        StartAverage(TargetHead, Head);
    }

    /// <summary>Shapes, views and weights of the loss's terms.</summary>
    public MaskedSiameseOptions Options { get; }

    /// <summary>Sees anchors, and learns by gradient.</summary>
    public VisionTransformer AnchorEncoder { get; }

    /// <summary>The target encoder, which is used afterwards.</summary>
    public override VisionTransformer Encoder { get; }

    /// <summary>Class tokens of anchors [.., D] -> projections [.., d].</summary>
    public Projector Head { get; }

    /// <summary>The same of targets.</summary>
    public Projector TargetHead { get; }

    /// <summary>What anchors and targets are compared with: the same for both.</summary>
    public Prototypes Prototypes { get; }

    /// <inheritdoc/>
    public override string Name => ShortName;

    /// <inheritdoc/>
    public override IReadOnlyList<Network> Networks { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<View> Views => Options.Views;

    /// <summary>Running averages of both heads' batch norms, which no loss sees.</summary>
    public override IReadOnlyList<StateTensor> State => [.. StateOf("head", _running), .. StateOf("target_head", _ofTarget)];

    /// <summary>The loss's terms, each without its weight; prototypes that are some target's nearest; and the mean of targets' largest
    /// shares.</summary>
    public override IReadOnlyList<string> Numbers => [CrossEntropy, MeanEntropy, Entropy, Used, Largest];

    /// <summary>What is said of anchors beside what should be, over all prototypes, and how evenly those are used.</summary>
    /// <inheritdoc/>
    public override Tensor Loss(ViewBatch batch, Step step)
    {
        using var scope = NewDisposeScope();
        step.Count(MaskedSiameseOperations.Of(Options, batch.Count));
        return step.Compare(Features(batch, step), Compare).MoveToOuterDisposeScope();
    }

    /// <summary>Head, balancing and mean entropy are over all images.</summary>
    /// <inheritdoc/>
    public override bool ComparesImages => true;

    /// <summary>Class tokens: of masked views [R, B, D], of small ones [F, B, D] where there are any, and of targets [1, B, D].</summary>
    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Features(ViewBatch batch, Step step)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(step);
        using var scope = NewDisposeScope();
        Tensor ByView(Tensor tokens) => tokens.view(-1, batch.Count, Options.Encoder.Width).MoveToOuterDisposeScope();
        using var kept = Kept(batch.Indices, Options.Anchor.Count, step, batch[Options.Anchor.Name].device);
        List<Tensor> features = [ByView(ClassOf(AnchorEncoder, batch[Options.Anchor.Name], kept))];
        if (Options.Focal is { } focal) features.Add(ByView(AnchorEncoder.EncodeClass(batch[focal.Name])));
        if (step.IsRepeated) return features;
        using var untracked = no_grad();
        features.Add(ByView(Encoder.EncodeClass(batch[Options.Target.Name])));
        return features;
    }

    /// <inheritdoc/>
    public override Tensor Compare(IReadOnlyList<Tensor> features, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        using var scope = NewDisposeScope();
        List<RunningStatistics> moved = [.. _running.Select(r => r.Copy())], ofTarget = [.. _ofTarget.Select(r => r.Copy())];
        // Anchors: masked views, then small ones, each group normalised by its own statistics.
        var anchors = Anchors(features, tokens => Head.Train(tokens, moved));
        // Targets: the whole view, by the average of encoder and head. No gradient.
        var targets = Targets(features, tokens => TargetHead.Train(tokens, ofTarget));
        foreach (var (running, towards) in _running.Concat(_ofTarget).Zip(moved.Concat(ofTarget)))
        {
            step.Move(running.Mean, towards.Mean, rate: 1);
            step.Move(running.Variance, towards.Variance, rate: 1);
        }

        var shares = Options.Loss.Targets(targets, Prototypes.Weight, Options.SharpeningAt(step.Progress));
        var terms = Options.Loss.Terms(anchors, Prototypes.Weight, shares);
        step.Report(CrossEntropy, terms.CrossEntropy);
        step.Report(MeanEntropy, terms.MeanEntropy);
        step.Report(Entropy, terms.Entropy);
        step.Report(Used, Nearest(shares).sum());
        step.Report(Largest, shares.amax([1L]).mean());
        return Options.Loss.Sum(terms).MoveToOuterDisposeScope();
    }

    /// <summary>Projections of anchors, the view being the slow index: masked ones first. -> float32 [V B, d].</summary>
    /// <param name="features">What <see cref="Features"/> says.</param>
    /// <param name="head">Class tokens of a group of views [.., D] to projections.</param>
    internal static Tensor Anchors(IReadOnlyList<Tensor> features, Func<Tensor, Tensor> head)
    {
        using var scope = NewDisposeScope();
        return cat([.. features.SkipLast(1).Select(group => head(group.flatten(0, 1)))]).MoveToOuterDisposeScope();
    }

    /// <summary>Projections of targets. No gradient. -> float32 [B, d].</summary>
    /// <param name="features">What <see cref="Features"/> says.</param>
    /// <param name="head">Class tokens [B, D] to projections.</param>
    internal static Tensor Targets(IReadOnlyList<Tensor> features, Func<Tensor, Tensor> head)
    {
        using var untracked = no_grad();
        using var scope = NewDisposeScope();
        return head(features[^1].flatten(0, 1)).MoveToOuterDisposeScope();
    }

    /// <summary>Which prototypes are some row's nearest. [R, K] -> float32 [K], 1 for those.</summary>
    internal static Tensor Nearest(Tensor shares)
    {
        using var scope = NewDisposeScope();
        var nearest = shares.argmax(1);
        return zeros([shares.shape[1]], float32, shares.device).scatter(0, nearest, ones_like(nearest, float32)).MoveToOuterDisposeScope();
    }

    /// <summary>Projections of images by the running averages, as after training. [B, C, H, W] -> float32 [B, d].</summary>
    /// <param name="images">Normalised pixels.</param>
    public Tensor Project(Tensor images)
    {
        using var scope = NewDisposeScope();
        return TargetHead.Evaluate(Encoder.EncodeClass(images), _ofTarget).MoveToOuterDisposeScope();
    }

    /// <summary>The patches that are seen of each masked view; null for all.</summary>
    /// <param name="indices">[B], index of each image in its source.</param>
    /// <param name="views">Masked views of each, the view being the slow index.</param>
    /// <param name="step">What they are keyed by.</param>
    /// <param name="device">Where the images are.</param>
    internal PatchSelection? Kept(IReadOnlyList<int> indices, int views, Step step, Device device)
    {
        var (patches, kept) = (Options.Encoder.Patches, Options.Kept);
        if (kept == patches) return null;
        long[] Drawn(long item) => Options.Draw(step, item, patches, kept);
        var all = Options.MasksEachImage ? null : Drawn(0);
        var sets = Enumerable.Range(0, views).SelectMany(view => indices.SelectMany(image => all ?? Drawn(1 + ((long)image * views) + view)));
        return new PatchSelection([[.. sets]], views * indices.Count, patches, device);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Measure(MonitoredImages images) => MaskedSiameseMeasures.Of(this, images);

    /// <inheritdoc/>
    public override string? SignOfCollapse(IReadOnlyDictionary<string, double> measures) =>
        MaskedSiameseMeasures.SignOfCollapse(measures, Options.Prototypes);

    /// <summary>The class token of the patches that a mask leaves.</summary>
    /// <inheritdoc/>
    public override Tensor? EncodePart(Tensor images, IReadOnlyList<int> indices, Step step)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        using var kept = Kept(indices, 1, step, images.device);
        return kept is null ? null : Encoder.EncodeClass(images, kept).to(float32).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override ObjectiveCost Cost(IReadOnlyList<int> indices, Step step) => MaskedSiameseOperations.CostOf(Options);

    /// <inheritdoc/>
    public override StepOperations Operations(IReadOnlyList<int> indices, Step step) => MaskedSiameseOperations.Of(Options, (indices ?? []).Count);

    /// <inheritdoc/>
    public override IReadOnlyList<string> Describe(int images, int batches, ulong seed) =>
        Options.Loss.Balances && images * batches < Options.Prototypes
            ? [Options.Words(), Options.WordsOnStep(images * batches)]
            : [Options.Words()];

    /// <inheritdoc/>
    public override ObjectivePictures Draw(IReadOnlyList<RgbImage> images, IReadOnlyList<int> indices, Step step, int zoom)
    {
        using var kept = Kept(indices, Options.Anchor.Count, step, CPU);
        var seen = kept?.Patches.data<long>().ToArray();
        bool[]? Seen(View view, int image, int number)
        {
            if (seen is null || view.Name != Options.Anchor.Name) return null;
            var shown = new bool[Options.Encoder.Patches];
            foreach (var patch in seen.AsSpan(((number * indices.Count) + image) * Options.Kept, Options.Kept)) shown[patch] = true;
            return shown;
        }

        return new ObjectivePictures(
            "What it compares",
            "Anchors, of which some patches are seen, and focal views should be like the same prototypes as the target. Views as training draws "
                + "them, of images of the data.",
            ViewPictures.Of(Views, images, indices, step, zoom, Seen, Options.Encoder.PatchSize));
    }

    private static Tensor ClassOf(VisionTransformer encoder, Tensor images, PatchSelection? kept) =>
        kept is null ? encoder.EncodeClass(images) : encoder.EncodeClass(images, kept);

    private static IEnumerable<StateTensor> StateOf(string head, List<RunningStatistics> running) => running.SelectMany(
        (r, i) => (StateTensor[])[new($"{head}.{i}.mean", r.Mean), new($"{head}.{i}.variance", r.Variance)]);
}
