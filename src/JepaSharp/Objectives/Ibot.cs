using JepaSharp.Data;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>iBOT: DINO's comparison of views, and of every large view what the teacher says of patches that the student is not shown (Zhou et al.,
/// "iBOT: Image BERT pre-training with online tokenizer", ICLR 2022, arXiv 2111.07832).</summary>
/// <remarks>
/// Shapes: Q large and L small views of each of B images, N patches of a large view, D width, H numbers at the head's narrow place, K outputs for
/// class tokens and K' for patches. Where the published code and the paper differ, and what was chosen:
/// docs/faithfulness.md.
/// </remarks>
public sealed class Ibot : Objective
{
    /// <summary>Its name in configurations and files.</summary>
    public const string ShortName = "ibot";

    /// <summary>The network that holds the mask token.</summary>
    internal const string MaskNetwork = "student_mask";

    internal const string ClassLoss = "class_loss", PatchLoss = "patch_loss";

    private readonly Tensor _center = null!, _patchCenter = null!;

    /// <summary>Builds student and teacher with their heads, and the student's mask token.</summary>
    /// <param name="options">Shapes, views, masks, temperatures and seed.</param>
    /// <param name="device">Where the networks live. Null: the CPU.</param>
    /// <exception cref="ArgumentException">The encoder has no class token, or there are no two views to compare.</exception>
    public Ibot(IbotOptions options, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options.Validated();
        Mask = new MaskToken(options.Encoder.Width, device);
        var networks = SelfDistillation.Networks(options.Encoder, options.Head, options.FrozenEpochs, device);
        Networks = [.. networks, new Network(MaskNetwork, Mask, NetworkRole.Trained) { ClipsEach = true }];
        (Student, StudentHead) = ((VisionTransformer)networks[0].Module, (ProjectionHead)networks[1].Module);
        (Encoder, TeacherHead) = ((VisionTransformer)networks[2].Module, (ProjectionHead)networks[3].Module);
        if (device?.type == DeviceType.META) return;

        SelfDistillation.Initialize(networks, options.Seed);
        _center = zeros([1, options.Head.Outputs], float32, device).DetachFromDisposeScope();
        _patchCenter = zeros([1, 1, options.Head.PatchOutputs ?? options.Head.Outputs], float32, device).DetachFromDisposeScope();
    }

    /// <summary>Shapes, views, masks and temperatures.</summary>
    public IbotOptions Options { get; }

    /// <summary>Sees every view, the large ones with patches hidden; trained.</summary>
    public VisionTransformer Student { get; }

    /// <summary>Its head; trained.</summary>
    public ProjectionHead StudentHead { get; }

    /// <summary>What the student sees in the place of a hidden patch; trained.</summary>
    public MaskToken Mask { get; }

    /// <summary>The teacher, the student's average: sees large views alone, and whole, and is what is used afterwards.</summary>
    public override VisionTransformer Encoder { get; }

    /// <summary>The teacher's head, the average of the student's.</summary>
    public ProjectionHead TeacherHead { get; }

    /// <inheritdoc/>
    public override string Name => ShortName;

    /// <inheritdoc/>
    public override IReadOnlyList<Network> Networks { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<View> Views => Options.Views;

    /// <summary>The centres of the teacher's outputs: of class tokens float32 [1, K], of patches [1, 1, K'].</summary>
    /// <inheritdoc/>
    public override IReadOnlyList<StateTensor> State => _center is null ? [] : [new(Dino.Center, _center), new("center2", _patchCenter)];

    /// <summary>Both parts of the loss, each without its weight.</summary>
    public override IReadOnlyList<string> Numbers => [ClassLoss, PatchLoss];

    /// <summary>λ1 times the cross-entropy between views, plus λ2 times that of hidden patches.</summary>
    /// <inheritdoc/>
    public override Tensor Loss(ViewBatch batch, Step step)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(step);
        using var scope = NewDisposeScope();
        using var masks = HiddenViews.Of(Options, batch.Indices, step, Large(batch).device);
        step.Count(IbotOperations.Of(Options, batch.Count, masks.Rows.numel()));
        using var dropping = Student.DropPaths(Options.DropPath, step.Random(item: SelfDistillation.DepthItem));
        var said = Losses(batch, masks, Options.Temperature.At(step.Epoch), Options.PatchTemperature.At(step.Epoch));
        // c <- m c + (1 - m) mean of the teacher's outputs, of class tokens and of all patches, hidden or not.
        step.Move(_center, said.Teacher.Mean().view(1, -1), rate: 1 - Options.CenterMomentum);
        step.Move(_patchCenter, said.PatchTeacher.Mean().view(1, 1, -1), rate: 1 - Options.PatchCenterMomentum);
        step.Report(ClassLoss, said.Class);
        step.Report(PatchLoss, said.Patch);
        return said.Class.Multiply(Options.ClassWeight).Add(said.Patch.Multiply(Options.PatchWeight)).MoveToOuterDisposeScope();
    }

    /// <summary>Both parts at given temperatures of the teacher's, and what the teacher said.</summary>
    internal (Tensor Class, Tensor Patch, TeacherOutputs Teacher, TeacherOutputs PatchTeacher) Losses(
        ViewBatch batch, HiddenViews masks, double temperature, double patchTemperature)
    {
        var large = Large(batch);
        var (teacher, patchTeacher) = Teach(large, temperature, patchTemperature);
        // The student: large views with patches hidden, then small ones whole.
        var tokens = Student.EncodeMasked(large, masks.Hidden, Mask.Value);
        List<Tensor> rows = [tokens.select(1, 0)];
        if (Options.Local is { } local) rows.Add(Student.EncodeClass(batch[local.Name]));
        var classes = rows.Sum(r => r.shape[0]);
        // Nobody reads what the student says of patches that it was shown.
        rows.Add(EncodedTokens.Patches(tokens, Options.Encoder).flatten(0, 1).index_select(0, masks.Rows));
        var narrow = StudentHead.Narrow(cat([.. rows.Select(r => r.to(float32))]));
        var between = CrossViewLoss.Of(narrow.narrow(0, 0, classes), StudentHead.Rows(), Options.StudentTemperature, teacher, batch.Count,
            Options.LargeViews, StudentHead.Products);
        var within = HiddenPatchLoss(narrow.narrow(0, classes, masks.Rows.numel()), masks, patchTeacher);
        return (between, within, teacher, patchTeacher);
    }

    /// <summary>What the teacher says of class tokens and of patches of large views, which it sees whole. Without gradients.</summary>
    internal (TeacherOutputs Classes, TeacherOutputs Patches) Teach(Tensor large, double temperature, double patchTemperature)
    {
        using var untracked = no_grad();
        var tokens = Encoder.forward(large);
        var views = tokens.shape[0];
        var narrow = TeacherHead.Narrow(cat([tokens.select(1, 0), EncodedTokens.Patches(tokens, Options.Encoder).flatten(0, 1)]));
        return (
            new TeacherOutputs(narrow.narrow(0, 0, views), TeacherHead.Rows(), _center, temperature, TeacherHead.Products),
            new TeacherOutputs(narrow.narrow(0, views, narrow.shape[0] - views), TeacherHead.PatchRows(), _patchCenter, patchTemperature,
                TeacherHead.Products));
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Measure(MonitoredImages images) => SelfDistillationMeasures.Of(this, images);

    /// <inheritdoc/>
    public override string? SignOfCollapse(IReadOnlyDictionary<string, double> measures) =>
        OutputSigns.Of(measures) is { IsCollapsed: true } signs ? signs.Words() : null;

    /// <inheritdoc/>
    public override ObjectiveCost Cost(IReadOnlyList<int> indices, Step step) => IbotOperations.CostOf(Options);

    /// <inheritdoc/>
    public override StepOperations Operations(IReadOnlyList<int> indices, Step step)
    {
        ArgumentNullException.ThrowIfNull(indices);
        ArgumentNullException.ThrowIfNull(step);
        using var masks = HiddenViews.Of(Options, indices, step, CPU);
        return IbotOperations.Of(Options, indices.Count, masks.Rows.numel());
    }

    /// <summary>What is compared, in how many outputs, and how much is hidden.</summary>
    /// <inheritdoc/>
    public override IReadOnlyList<string> Describe(int images, int batches, ulong seed) => [Options.Words()];

    /// <inheritdoc/>
    public override ObjectivePictures Draw(IReadOnlyList<RgbImage> images, IReadOnlyList<int> indices, Step step, int zoom) =>
        HiddenPictures.Of(Options, images, indices, step, zoom);

    /// <summary>Mean over large views and images, those without hidden patches counting as 0, of the mean over an image's hidden patches of -Σ_k p_k
    /// log softmax(s)_k.</summary>
    private Tensor HiddenPatchLoss(Tensor narrow, HiddenViews masks, TeacherOutputs teacher)
    {
        var loss = new SharpenedCrossEntropy(narrow, StudentHead.PatchRows(), Options.StudentTemperature, StudentHead.Products);
        var piece = SharpenedCrossEntropy.RowsOfAPiece(teacher.Outputs);
        for (long first = 0; first < masks.Rows.numel(); first += piece)
        {
            using var inner = NewDisposeScope();
            var count = Math.Min(piece, masks.Rows.numel() - first);
            loss.Add(first, teacher.Of(masks.Rows.narrow(0, first, count)), mass: 1, masks.Weights.narrow(0, first, count));
        }

        return loss.Total();
    }

    private Tensor Large(ViewBatch batch) => SelfDistillation.Large(Options.Global, batch);
}
