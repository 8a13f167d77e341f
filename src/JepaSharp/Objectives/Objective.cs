using JepaSharp.Data;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>What is learned and from what: a method, as one conversation in one direction. Whoever trains asks; an objective never calls back.</summary>
/// <remarks>
/// An objective declares its networks, the views that it wants of an image, and one loss. Optimizer, averages, precision, kernels, devices, accumulation, clipping,
/// checkpoints, monitors and reports are others' business and work for any objective. See docs/architecture.md; adding one: CONTRIBUTING.md.
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

    /// <summary>The loss of a micro-batch: a mean over its images. [] float32 or float64, with gradients unless it was taken backward in parts.</summary>
    /// <remarks>Opens one dispose scope and moves out what it returns. Changes nothing: what moves from step to step, moves by <see cref="Step.Move"/>.</remarks>
    /// <param name="batch">The views of B images.</param>
    /// <param name="step">Where the run stands.</param>
    public abstract Tensor Loss(ViewBatch batch, Step step);

    /// <summary>Tensors kept from step to step beside the weights; saved, and changed only by finite steps.</summary>
    public virtual IReadOnlyList<StateTensor> State => [];

    /// <summary>Names of the numbers that the loss reports beside itself: further columns of the metrics.</summary>
    public virtual IReadOnlyList<string> Numbers => [];

    /// <summary>What only this objective can say of a run, on images that stay the same: values by name. Changes nothing.</summary>
    /// <param name="images">The images, and what <see cref="Encoder"/> makes of them.</param>
    public virtual IReadOnlyDictionary<string, double> Measure(MonitoredImages images) => new Dictionary<string, double>();

    /// <summary>Features of what a training view leaves of each image, for LiDAR: [B, D], or null where there is nothing of the kind. Changes nothing.</summary>
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
