using JepaSharp.Data;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>
/// LeJEPA: all views of an image say the same, and what is said of all images is distributed as an isotropic Gaussian. One encoder, no teacher, no
/// stopped gradient (Balestriero and LeCun, "LeJEPA: Provable and scalable self-supervised learning without the heuristics", arXiv 2511.08544).
/// </summary>
/// <remarks>
/// Shapes: V = G + L views of each of B images, D width, K numbers of a projection, M directions. Where the paper, the published programs and others'
/// versions disagree, and what was chosen: docs/faithfulness.md. Deviation: no stochastic depth.
/// </remarks>
public sealed class LeJepa : Objective
{
    /// <summary>Its name in configurations and files.</summary>
    public const string ShortName = "lejepa";

    internal const string Prediction = "prediction", Statistic = "statistic";

    private readonly List<RunningStatistics> _running = [];

    /// <summary>Builds encoder, head and projector.</summary>
    /// <param name="options">Shapes, views, weights of the losses and seed.</param>
    /// <param name="device">Where the networks live. Null: the CPU.</param>
    /// <exception cref="ArgumentException">The encoder has no class token.</exception>
    public LeJepa(LeJepaOptions options, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!options.Encoder.ClassToken)
            throw new ArgumentException("LeJEPA's embedding is made of a class token: the encoder has none.", nameof(options));
        Options = options;
        Encoder = new VisionTransformer(options.Encoder, device);
        Head = new Dense("head", [options.Embedding, options.Encoder.Width], device);
        Projector = new Projector(new ProjectorShape(options.Embedding, options.Hidden, options.Projection), device);
        foreach (var parameter in Head.parameters()) parameter.DetachFromDisposeScope();
        Networks =
        [
            new("backbone", Encoder, NetworkRole.Trained) { Decays = EveryOne },
            new("head", Head, NetworkRole.Trained) { Decays = EveryOne },
            new("projector", Projector, NetworkRole.Trained) { Decays = EveryOne },
        ];
        if (device?.type == DeviceType.META) return;

        for (var i = 0; i < Projector.Norms; i++) _running.Add(RunningStatistics.New(options.Hidden, device));
        LeJepaInitialization.Of(this);
    }

    /// <summary>Shapes, views and weights of the losses.</summary>
    public LeJepaOptions Options { get; }

    /// <summary>Class token [.., D] -> embedding [.., E]: the classifier of the published encoder.</summary>
    public Dense Head { get; }

    /// <summary>Embedding [.., E] -> projection [.., K].</summary>
    public Projector Projector { get; }

    /// <inheritdoc/>
    public override string Name => ShortName;

    /// <inheritdoc/>
    public override IReadOnlyList<Network> Networks { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<View> Views => Options.Views;

    /// <inheritdoc/>
    public override VisionTransformer Encoder { get; }

    /// <summary>Running averages of the projector's batch norms, which no loss sees.</summary>
    public override IReadOnlyList<StateTensor> State =>
        [.. _running.SelectMany((r, i) => (StateTensor[])[new($"projector.{i}.mean", r.Mean), new($"projector.{i}.variance", r.Variance)])];

    /// <summary>The loss's two parts, each without its share.</summary>
    public override IReadOnlyList<string> Numbers => [Prediction, Statistic];

    /// <summary>(1 - λ) times the distance of views from their image's mean, plus λ times that of all images from a Gaussian.</summary>
    /// <inheritdoc/>
    public override Tensor Loss(ViewBatch batch, Step step)
    {
        using var scope = NewDisposeScope();
        step.Count(LeJepaOperations.Of(Options, batch.Count));
        return step.Compare(Features(batch, step), Compare).MoveToOuterDisposeScope();
    }

    /// <summary>Projector and statistic are over all images.</summary>
    /// <inheritdoc/>
    public override bool ComparesImages => true;

    /// <summary>Embeddings of all views [V, B, E]: the class token after the final norm, through the head.</summary>
    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Features(ViewBatch batch, Step step)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        return [Embed([.. Views.Select(view => batch[view.Name])]).view(-1, batch.Count, Options.Embedding).MoveToOuterDisposeScope()];
    }

    /// <inheritdoc/>
    public override Tensor Compare(IReadOnlyList<Tensor> features, Step step)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(step);
        using var scope = NewDisposeScope();
        // Projections: batch norm takes its statistics over all views of all images at once.
        List<RunningStatistics> moved = [.. _running.Select(r => r.Copy())];
        var embeddings = features[0];
        var projections = Projector.Train(embeddings.flatten(0, 1), moved).view(-1, embeddings.shape[1], Options.Projection);
        foreach (var (running, towards) in _running.Zip(moved))
        {
            step.Move(running.Mean, towards.Mean, rate: 1);
            step.Move(running.Variance, towards.Variance, rate: 1);
        }

        var (prediction, statistic) = Losses(projections, step);
        step.Report(Prediction, prediction);
        step.Report(Statistic, statistic);
        return prediction.Multiply(1 - Options.Lambda).Add(statistic.Multiply(Options.Lambda)).MoveToOuterDisposeScope();
    }

    /// <summary>Both parts of the loss. float32 [V, B, K], the G global views first -> [], [].</summary>
    /// <param name="projections">z.</param>
    /// <param name="step">What is drawn is keyed by it.</param>
    public (Tensor Prediction, Tensor Statistic) Losses(Tensor projections, Step step)
    {
        ArgumentNullException.ThrowIfNull(projections);
        using var scope = NewDisposeScope();
        // μ_n: the mean over an image's global views. Every view is compared with it, with gradients to both.
        var centers = projections.narrow(0, 0, Options.Global.Count).mean([0L], keepdim: true);
        var prediction = centers.Subtract(projections).square().mean();
        var statistic = Statistics(projections, step).mean();
        return (prediction.MoveToOuterDisposeScope(), statistic.MoveToOuterDisposeScope());
    }

    /// <summary>T of every view in every direction: each view is a sample of B of its own. float32 [V, B, K] -> [V, M].</summary>
    /// <param name="projections">z.</param>
    /// <param name="step">What is drawn is keyed by it.</param>
    public Tensor Statistics(Tensor projections, Step step)
    {
        ArgumentNullException.ThrowIfNull(projections);
        using var scope = NewDisposeScope();
        var directions = Options.Draw(step, Options.Projection, Options.Directions).to(projections.device);
        ProductTrace.Add(projections, directions, Options.Directions);
        return SketchedStatistic.Of(projections.matmul(directions), Options.Knots, Options.LargestKnot).MoveToOuterDisposeScope();
    }

    /// <summary>Class token to embedding, images of several sizes one after the other. Each [R, C, H, W] -> [all R, E].</summary>
    /// <param name="images">Normalised pixels.</param>
    public Tensor Embed(params IReadOnlyList<Tensor> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        return Head.forward(cat([.. images.Select(Encoder.EncodeClass)])).MoveToOuterDisposeScope();
    }

    /// <summary>Projections of images by the running averages, as after training. [B, C, H, W] -> float32 [B, K].</summary>
    /// <param name="images">Normalised pixels.</param>
    public Tensor Project(Tensor images)
    {
        using var scope = NewDisposeScope();
        return Projector.Evaluate(Embed(images), _running).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Measure(MonitoredImages images) => LeJepaMeasures.Of(this, images);

    /// <inheritdoc/>
    public override ObjectiveCost Cost(IReadOnlyList<int> indices, Step step) => LeJepaOperations.CostOf(Options);

    /// <inheritdoc/>
    public override StepOperations Operations(IReadOnlyList<int> indices, Step step) => LeJepaOperations.Of(Options, (indices ?? []).Count);

    /// <summary>What is compared, and with how much of a statistic.</summary>
    /// <inheritdoc/>
    public override IReadOnlyList<string> Describe(int images, int batches, ulong seed) => [Options.Words(images * batches)];

    /// <inheritdoc/>
    public override ObjectivePictures Draw(IReadOnlyList<RgbImage> images, IReadOnlyList<int> indices, Step step, int zoom) => new(
        "What it compares",
        $"All views of an image should say the same as its {Options.Global.Count} global ones do on average. Views as training draws them, of images "
            + "of the data.",
        ViewPictures.Of(Views, images, indices, step, zoom));

    private static bool EveryOne(string name) => true;
}
