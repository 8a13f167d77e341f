using JepaSharp.Data;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>DINO: a student says of every view of an image what its own average, the teacher, says of the image's other large views (Caron et al.,
/// "Emerging properties in self-supervised vision transformers", ICCV 2021, arXiv 2104.14294).</summary>
/// <remarks>
/// Shapes: Q large and L small views of each of B images, V = Q + L, D width, H numbers at the head's narrow place, K outputs.
/// Where the published code and the paper differ, and what was chosen: docs/faithfulness.md.
/// </remarks>
public sealed class Dino : Objective
{
    /// <summary>Its name in configurations and files.</summary>
    public const string ShortName = "dino";

    internal const string Center = "center";

    private readonly Tensor _center = null!;

    /// <summary>Builds student and teacher with their heads.</summary>
    /// <param name="options">Shapes, views, temperatures and seed.</param>
    /// <param name="device">Where the networks live. Null: the CPU.</param>
    /// <exception cref="ArgumentException">The encoder has no class token, or there are no two views to compare.</exception>
    public Dino(DinoOptions options, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options.Validated();
        Networks = SelfDistillation.Networks(options.Encoder, options.Head, options.FrozenEpochs, device);
        (Student, StudentHead) = ((VisionTransformer)Networks[0].Module, (ProjectionHead)Networks[1].Module);
        (Encoder, TeacherHead) = ((VisionTransformer)Networks[2].Module, (ProjectionHead)Networks[3].Module);
        if (device?.type == DeviceType.META) return;

        SelfDistillation.Initialize(Networks, options.Seed);
        _center = zeros([1, options.Head.Outputs], float32, device).DetachFromDisposeScope();
    }

    /// <summary>Shapes, views and temperatures.</summary>
    public DinoOptions Options { get; }

    /// <summary>Sees every view; trained.</summary>
    public VisionTransformer Student { get; }

    /// <summary>Its head; trained.</summary>
    public ProjectionHead StudentHead { get; }

    /// <summary>The teacher, the student's average: sees large views alone, and is what is used afterwards.</summary>
    public override VisionTransformer Encoder { get; }

    /// <summary>The teacher's head, the average of the student's.</summary>
    public ProjectionHead TeacherHead { get; }

    /// <inheritdoc/>
    public override string Name => ShortName;

    /// <inheritdoc/>
    public override IReadOnlyList<Network> Networks { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<View> Views => Options.Views;

    /// <summary>The centre of the teacher's outputs: float32 [1, K].</summary>
    /// <inheritdoc/>
    public override IReadOnlyList<StateTensor> State => _center is null ? [] : [new(Center, _center)];

    /// <summary>The cross-entropy between what the teacher says of each large view and what the student says of every other view.</summary>
    /// <inheritdoc/>
    public override Tensor Loss(ViewBatch batch, Step step)
    {
        using var scope = NewDisposeScope();
        step.Count(DinoOperations.Of(Options, batch.Count));
        using var dropping = Student.DropPaths(Options.DropPath, step.Random(item: SelfDistillation.DepthItem));
        var loss = Loss(batch, Options.Temperature.At(step.Epoch), out var teacher);
        // c <- m c + (1 - m) mean of the teacher's outputs, before centre and temperature.
        step.Move(_center, teacher.Mean().view(1, -1), rate: 1 - Options.CenterMomentum);
        return loss.MoveToOuterDisposeScope();
    }

    /// <summary>The same at a given temperature of the teacher's, and what the teacher said.</summary>
    internal Tensor Loss(ViewBatch batch, double temperature, out TeacherOutputs teacher)
    {
        var large = SelfDistillation.Large(Options.Global, batch);
        teacher = Teach(large, temperature);
        // The student sees every view: those of a size in one pass, all class tokens through the head together.
        var said = StudentHead.Narrow(cat([.. Sizes(large, batch).Select(Student.EncodeClass)]));
        return CrossViewLoss.Of(
            said, StudentHead.Rows(), Options.StudentTemperature, teacher, batch.Count, Options.LargeViews, StudentHead.Products);
    }

    /// <summary>What the teacher says of large views. Without gradients. [Q B, 3, S, S] -> of Q B rows.</summary>
    internal TeacherOutputs Teach(Tensor large, double temperature)
    {
        using var untracked = no_grad();
        var narrow = TeacherHead.Narrow(Encoder.EncodeClass(large));
        return new TeacherOutputs(narrow, TeacherHead.Rows(), _center, temperature, TeacherHead.Products);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Measure(MonitoredImages images) => SelfDistillationMeasures.Of(this, images);

    /// <inheritdoc/>
    public override string? SignOfCollapse(IReadOnlyDictionary<string, double> measures) =>
        OutputSigns.Of(measures) is { IsCollapsed: true } signs ? signs.Words() : null;

    /// <inheritdoc/>
    public override ObjectiveCost Cost(IReadOnlyList<int> indices, Step step) => DinoOperations.CostOf(Options);

    /// <inheritdoc/>
    public override StepOperations Operations(IReadOnlyList<int> indices, Step step) => DinoOperations.Of(Options, (indices ?? []).Count);

    /// <summary>What is compared, in how many outputs, at which temperatures.</summary>
    /// <inheritdoc/>
    public override IReadOnlyList<string> Describe(int images, int batches, ulong seed) => [Options.Words()];

    /// <inheritdoc/>
    public override ObjectivePictures Draw(IReadOnlyList<RgbImage> images, IReadOnlyList<int> indices, Step step, int zoom) => new(
        "What it compares",
        $"The student, of every view, should say what the teacher says of each of the image's {Options.LargeViews} large ones, but never of the same "
            + "view. Views as training draws them, of images of the data.",
        ViewPictures.Of(Views, images, indices, step, zoom));

    private IEnumerable<Tensor> Sizes(Tensor large, ViewBatch batch) =>
        Options.Local is { } local ? [large, batch[local.Name]] : [large];
}
