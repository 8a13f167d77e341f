using JepaSharp.Data;
using JepaSharp.Data.Loading;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Pictures;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>What is learned and from what: a method, as one conversation in one direction. Whoever trains asks; an objective never calls
/// back.</summary>
/// <remarks>
/// An objective declares its networks, the views that it wants of an image, and one loss. Optimizer, averages, precision, kernels, devices,
/// accumulation, clipping, checkpoints, monitors and reports are others' business and work for any objective. See docs/architecture.md; adding one:
/// CONTRIBUTING.md.
/// </remarks>
public abstract class Objective : IDisposable
{
    /// <summary>A short name for configurations, checkpoints and reports, such as "ijepa".</summary>
    public abstract string Name { get; }

    /// <summary>All networks, in checkpoint order; owned by the objective.</summary>
    public abstract IReadOnlyList<Network> Networks { get; }

    /// <summary>What the loader makes of an image.</summary>
    public abstract IReadOnlyList<View> Views { get; }

    /// <summary>What is evaluated, monitored and handed over: the module of one of <see cref="Networks"/>.</summary>
    public abstract VisionTransformer Encoder { get; }

    /// <summary>The loss of a micro-batch: a mean over its images. [] float32 or float64, with gradients unless it was taken backward in
    /// parts.</summary>
    /// <remarks>Opens one dispose scope and moves out what it returns. Changes nothing: what moves from step to step, moves by
    /// <see cref="Step.Move"/>.</remarks>
    /// <param name="batch">The views of B images.</param>
    /// <param name="step">Where the run stands.</param>
    public abstract Tensor Loss(ViewBatch batch, Step step);

    /// <summary>Whether the loss, or a part of it, compares images with one another: by batch norm, balancing, a statistic. Then it is taken over all
    /// images of a step, whatever micro-batches and processes they are divided among: <see cref="Loss"/> gives <see cref="Features"/> and
    /// <see cref="Compare"/> to <see cref="Step.Compare"/>.</summary>
    public virtual bool ComparesImages => false;

    /// <summary>What is compared: what is said of each image by itself, whatever others are beside it. Draws the same every time.</summary>
    /// <remarks>Changes and reports nothing: it is asked twice where a process has several micro-batches, first without gradients.</remarks>
    /// <param name="batch">The views of B images.</param>
    /// <param name="step">What is drawn is keyed by it.</param>
    /// <returns>Each [V, B, ...], with V and what follows B the same in every micro-batch.</returns>
    public virtual IReadOnlyList<Tensor> Features(ViewBatch batch, Step step) => [];

    /// <summary>The part of the loss that compares images: a mean over all that it is given. [] float32.</summary>
    /// <param name="features">What <see cref="Features"/> says of N images, each [V, N, ...].</param>
    /// <param name="step">Where the run stands; what is drawn is keyed by the first micro-batch of the step.</param>
    /// <exception cref="InvalidOperationException">It compares none.</exception>
    public virtual Tensor Compare(IReadOnlyList<Tensor> features, Step step) =>
        throw new InvalidOperationException($"{Name} compares no images.");

    /// <summary>Tensors kept from step to step beside the weights; saved, and changed only by finite steps.</summary>
    public virtual IReadOnlyList<StateTensor> State => [];

    /// <summary>Names of the numbers that the loss reports beside itself: further columns of the metrics.</summary>
    public virtual IReadOnlyList<string> Numbers => [];

    /// <summary>What the shapes of its weights do not tell of its networks, by key, for the header of their files.</summary>
    public virtual IReadOnlyDictionary<string, string> Facts => new Dictionary<string, string>();

    /// <summary>Whether what is predicted is given, and not made by a network that learns: then the loss of a constant tells nothing of a
    /// collapse.</summary>
    public virtual bool TargetsAreFixed => false;

    /// <summary>What will be asked, in numbers that its settings alone do not tell, for whoever begins a run: a sentence each. Changes
    /// nothing.</summary>
    /// <param name="images">B, images in a micro-batch.</param>
    /// <param name="batches">Micro-batches of a step, of all processes.</param>
    /// <param name="seed">The run's seed.</param>
    public virtual IReadOnlyList<string> Describe(int images, int batches, ulong seed) => [];

    /// <summary>What only this objective can say of a run, on images that stay the same: values by name. Changes nothing.</summary>
    /// <param name="images">The images, and what <see cref="Encoder"/> makes of them.</param>
    public virtual IReadOnlyDictionary<string, double> Measure(MonitoredImages images) => new Dictionary<string, double>();

    /// <summary>What of its own measures says that the run is collapsing, as the end of a sentence; null where nothing does.</summary>
    /// <param name="measures">What <see cref="Measure"/> found, by name.</param>
    public virtual string? SignOfCollapse(IReadOnlyDictionary<string, double> measures) => null;

    /// <summary>Features of what a training view leaves of each image, for LiDAR: [B, D], or null where there is nothing of the kind. Changes
    /// nothing.</summary>
    /// <param name="images">Normalised pixels [B, 3, S, S].</param>
    /// <param name="indices">[B], index of each image in its source.</param>
    /// <param name="step">What is drawn is keyed by it.</param>
    public virtual Tensor? EncodePart(Tensor images, IReadOnlyList<int> indices, Step step) => null;

    /// <summary>Pictures that show what is learned from, for the report; null where there are none. Changes nothing.</summary>
    /// <param name="images">Images of the encoder's size.</param>
    /// <param name="indices">[B], index of each in its source.</param>
    /// <param name="step">What is drawn is keyed by it.</param>
    /// <param name="zoom">How many times larger the pictures are.</param>
    public virtual ObjectivePictures? Draw(IReadOnlyList<RgbImage> images, IReadOnlyList<int> indices, Step step, int zoom) => null;

    /// <summary>Whether <see cref="Draw"/> shows what its networks make of images, so that they should be trained.</summary>
    public virtual bool DrawsWhatItLearned => false;

    /// <summary>Multiplications, about: what a step and a look at an image cost, so that monitors keep to a share.</summary>
    /// <param name="indices">A batch of images.</param>
    /// <param name="step">What is drawn is keyed by it.</param>
    public virtual ObjectiveCost Cost(IReadOnlyList<int> indices, Step step)
    {
        var shape = Encoder.Shape;
        var whole = ObjectiveCost.OfBlocks(shape.Depth, shape.Width, shape.MlpWidth, shape.Patches);
        var seen = Views.Sum(v => v.Count * ObjectiveCost.OfBlocks(shape.Depth, shape.Width, shape.MlpWidth, PatchesOf(v)));
        var passes = Networks.Sum(n => n.Module is VisionTransformer ? n.Role == NetworkRole.Trained ? 3 : 1 : 0);
        return new ObjectiveCost(whole, whole, whole, passes * seen);
    }

    /// <summary>
    /// Floating-point operations of a training step on a batch, without taking it, as the loss would <see cref="Step.Count"/> them; null where
    /// they are not counted.
    /// </summary>
    /// <param name="indices">A batch of images.</param>
    /// <param name="step">What is drawn is keyed by it.</param>
    public virtual StepOperations? Operations(IReadOnlyList<int> indices, Step step) => null;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Disposes of networks and state.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (!disposing) return;
        foreach (var network in Networks) network.Module.Dispose();
        foreach (var state in State) state.Value.Dispose();
    }

    /// <summary>Whether its encoder changes in training; of a frozen one nothing is worth measuring twice.</summary>
    internal bool ChangesItsEncoder => Networks.Any(n => ReferenceEquals(n.Module, Encoder) && n.Role != NetworkRole.Frozen);

    /// <summary>The average begins as a copy of what it follows, and no gradient ever reaches it.</summary>
    internal static void StartAverage(nn.Module average, nn.Module followed)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        foreach (var (target, current) in average.parameters().Zip(followed.parameters()))
        {
            _ = target.copy_(current);
            target.requires_grad = false;
        }
    }

    private int PatchesOf(View view)
    {
        var side = view.Transform.CropSize / Encoder.Shape.PatchSize;
        return side * side;
    }
}

/// <summary>Multiplications that an objective takes, for one image each.</summary>
/// <param name="Whole">An image through the encoder.</param>
/// <param name="Part">What a training view leaves of it, through the encoder.</param>
/// <param name="Measure">What <see cref="Objective.Measure"/> takes beside.</param>
/// <param name="Step">A training step.</param>
public sealed record ObjectiveCost(double Whole, double Part, double Measure, double Step)
{
    /// <summary>Multiplications of a transformer over t tokens: depth ((4 width + 2 mlp) width t + 2 width t²).</summary>
    public static double OfBlocks(int depth, int width, int mlp, int tokens) =>
        depth * ((((4.0 * width) + (2.0 * mlp)) * width * tokens) + (2.0 * width * tokens * tokens));
}

/// <summary>Images that stay the same throughout a run, with what the encoder makes of them: what <see cref="Objective.Measure"/> looks at.</summary>
/// <param name="Batches">The images, as bytes.</param>
/// <param name="Scaling">Brings them to the device.</param>
/// <param name="Features">Of each batch, float32 [B, N, D] or [B, N + 1, D] with a class token first: the encoder's output.
/// Whoever measures may dispose of each when it is done with.</param>
/// <param name="Masked">How many of the first batches are looked at closely, through the whole loss; 0 for a glance.</param>
/// <param name="Seed">The run's seed.</param>
public sealed record MonitoredImages(IReadOnlyList<ImageBatch> Batches, PixelScaling Scaling, IReadOnlyList<Tensor> Features, int Masked, ulong Seed)
{
    /// <summary>The step by which what the loss draws is keyed: a micro-batch that training never comes to.</summary>
    public Step Step => Step.Untracked(Seed, microBatch: -1);
}

/// <summary>What an objective shows of a few images: of each, some pictures beside it.</summary>
/// <param name="Title">A heading.</param>
/// <param name="Text">A sentence or two.</param>
/// <param name="Rows">For each image, pictures with their captions.</param>
public sealed record ObjectivePictures(string Title, string Text, IReadOnlyList<IReadOnlyList<(RgbImage Picture, string Caption)>> Rows)
{
    /// <summary>I-JEPA's: what the context encoder sees, and what is to be predicted.</summary>
    /// <param name="images">Images that the grid divides.</param>
    /// <param name="masks">Their masks.</param>
    /// <param name="question">What is asked of a target, as the middle of a question.</param>
    /// <param name="zoom">How many times larger the pictures are.</param>
    internal static ObjectivePictures OfMasks(IReadOnlyList<RgbImage> images, MaskBatch masks, string question, int zoom)
    {
        var targets = masks.TargetBlocks == 1 ? "one target" : $"{masks.TargetBlocks} targets";
        return new ObjectivePictures(
            "What it is asked",
            $"From {masks.ContextLength} of {masks.Grid.Count} patches, {question} each patch of {targets} of "
                + $"{masks.TargetLength}? "
            + "The masks of the first step, on images of the data.",
            [.. images.Select((image, i) => (IReadOnlyList<(RgbImage, string)>)
                [(MaskPictures.Context(image, masks, i, zoom), "what the context encoder sees"), (
                    MaskPictures.Targets(image, masks, i, zoom), "what is to be predicted")])]);
    }
}

/// <summary>How a network's weights come about.</summary>
public enum NetworkRole
{
    /// <summary>By the gradients of the loss.</summary>
    Trained,

    /// <summary>As the exponential moving average of another network of the same shapes. Begins as a copy of it.</summary>
    Average,

    /// <summary>They stay as they are.</summary>
    Frozen,
}

/// <summary>A network of an objective. Averages are data, not code: whoever trains moves them.</summary>
/// <param name="Name">Its name in checkpoints, such as "encoder": the weights' names begin with it and a dot.</param>
/// <param name="Module">The network; owned by the objective.</param>
/// <param name="Role">How its weights come about.</param>
/// <param name="Follows">Name of the trained network that an average follows; null for others.</param>
public sealed record Network(string Name, nn.Module Module, NetworkRole Role, string? Follows = null)
{
    /// <summary>What messages call it.</summary>
    public string Title { get; init; } = Name.Replace('_', ' ');

    /// <summary>Share of the learning rate that a parameter of the given name gets, for layer-wise rates; null for the whole.</summary>
    public Func<string, double>? RateOf { get; init; }

    /// <summary>Whether a parameter of the given name is subject to weight decay; null for the usual rule: matrices are, biases and norms are
    /// not.</summary>
    public Func<string, bool>? Decays { get; init; }

    /// <summary>Epochs at the start in which a parameter of the given name stays as it is, whatever its gradient: no step, no decay, no moment, and
    /// its steps are counted from there on. <see cref="Always"/> for a parameter that no step ever changes. Null: none.</summary>
    public Func<string, double>? FrozenEpochs { get; init; }

    /// <summary>Whether each parameter's gradient is clipped by its own norm, rather than all by that of all: g times min(1, limit / (|g| +
    /// 1e-6)).</summary>
    public bool ClipsEach { get; init; }

    /// <summary>More epochs than any run has: see <see cref="FrozenEpochs"/>.</summary>
    public const double Always = double.PositiveInfinity;

    /// <summary>Whether <c>optimization.clip_grad</c> bounds its gradients: those of all such networks are measured, and scaled, together.
    /// True.</summary>
    public bool IsClipped { get; init; } = true;

    /// <summary>Whether its weights lie in checkpoints and in files of weights. False of a network that stays as it is and that is found elsewhere,
    /// such as a teacher's file: a resumed run holds its fingerprint against the one that it began with. True.</summary>
    public bool IsSaved { get; init; } = true;

    /// <summary>Momentum of an average after the given step, from 1; null for the run's schedule.</summary>
    public Func<long, double>? MomentumAt { get; init; }
}

/// <summary>A tensor that an objective keeps from step to step beside its weights, such as a centre. Saved with the optimizer's state.</summary>
/// <param name="Name">Its name in checkpoints, unique within the objective.</param>
/// <param name="Value">Any shape, float32; owned by the objective, changed only through <see cref="Step.Move"/>.</param>
public sealed record StateTensor(string Name, Tensor Value);
