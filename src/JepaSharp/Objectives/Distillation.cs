using JepaSharp.Configuration;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>Distillation: a small encoder learns to say of every patch what a trained, larger one says, on images without labels.</summary>
/// <remarks>
/// As Hinton et al., 2015, with features in place of classes. The teacher's representations pass a layer norm without scale and shift, as I-JEPA's
/// targets do: every one is then of length √T, so that a squared distance is their cosine but for constants, and smooth L1, the default, minds the
/// few very large numbers of large encoders less. Shapes: B images, N patches of the student, D its width, T the teacher's.
/// </remarks>
public sealed class Distillation : Objective
{
    /// <summary>Its name in configurations and files.</summary>
    public const string ShortName = MetaOptions.Distillation;

    internal const string PatchTerm = "patches", ClassTerm = "class_token", Cosine = "cosine";

    private readonly Tensor? _scale, _shift;
    private readonly Lazy<string> _fingerprint;

    /// <summary>Builds student and head.</summary>
    /// <param name="options">Teacher, shapes, views and seed.</param>
    /// <param name="device">Where the networks live, the teacher too. Null: the CPU.</param>
    /// <exception cref="ArgumentException">The teacher cannot teach this student: see <see cref="DistillationOptions.Obstacle"/>.</exception>
    public Distillation(DistillationOptions options, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Obstacle() is { } obstacle) throw new ArgumentException(obstacle, nameof(options));
        Options = options;
        Encoder = new VisionTransformer(options.Student, device);
        Head = new DistillationHead(options.Student.Width, Teacher.Shape.Width, options.ComparesClassTokens, device);
        Networks =
        [
            new("encoder", Encoder, NetworkRole.Trained),
            new("head", Head, NetworkRole.Trained),
            new("teacher", Teacher, NetworkRole.Frozen) { IsSaved = false },
        ];
        _fingerprint = new Lazy<string>(() => WeightsFingerprint.Of(Teacher));
        if (device?.type == DeviceType.META) return;

        Initialization.Initialize(Encoder, options.Seed, stream: 0);
        Initialization.Initialize(Head, options.Seed, stream: 1);
        _ = _fingerprint.Value; // of the weights as they came
        (_scale, _shift) = Renormalization(options, device ?? CPU);
    }

    /// <summary>Teacher, shapes and views.</summary>
    public DistillationOptions Options { get; }

    /// <summary>The student.</summary>
    public override VisionTransformer Encoder { get; }

    /// <summary>The encoder that teaches.</summary>
    public VisionTransformer Teacher => Options.Teacher;

    /// <summary>From the student's numbers to as many as the teacher's.</summary>
    public DistillationHead Head { get; }

    /// <inheritdoc/>
    public override string Name => ShortName;

    /// <inheritdoc/>
    public override IReadOnlyList<Network> Networks { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<View> Views => [Options.View];

    /// <summary>The distances of patches and of class tokens, and the mean cosine of what is said of patches with what the teacher says.</summary>
    public override IReadOnlyList<string> Numbers => Options.ComparesClassTokens ? [PatchTerm, ClassTerm, Cosine] : [PatchTerm, Cosine];

    /// <summary>The teacher's fingerprint.</summary>
    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Facts => new Dictionary<string, string> { ["teacher"] = _fingerprint.Value };

    /// <summary>What the teacher says stays what it is.</summary>
    /// <inheritdoc/>
    public override bool TargetsAreFixed => true;

    /// <summary>How far what is said of patches, and of images, is from what the teacher says.</summary>
    /// <inheritdoc/>
    public override Tensor Loss(ViewBatch batch, Step step)
    {
        using var scope = NewDisposeScope();
        var images = batch[Options.View.Name];
        step.Count(DistillationOperations.Of(Options, batch.Count));
        var (patches, classes) = Targets(images);
        var (said, saidOfClass) = Predictions(images);
        var distance = Distance(said, patches);
        step.Report(PatchTerm, distance);
        step.Report(Cosine, nn.functional.cosine_similarity(said.detach(), patches, dim: -1).mean());
        if (classes is null) return distance.MoveToOuterDisposeScope();
        var ofClass = Distance(saidOfClass!, classes);
        step.Report(ClassTerm, ofClass);
        return distance.Add(ofClass.Multiply(Options.ClassWeight)).MoveToOuterDisposeScope();
    }

    /// <summary>What the student says, in the teacher's width. [B, C, S, S] -> float32 [B, N, T], and [B, T] of class tokens or null.</summary>
    /// <param name="images">Pixels, normalised for the student.</param>
    public (Tensor Patches, Tensor? Classes) Predictions(Tensor images)
    {
        using var scope = NewDisposeScope();
        var tokens = Encoder.forward(images);
        var patches = Head.forward(EncodedTokens.Patches(tokens, Encoder.Shape)).to(float32);
        var classes = Options.ComparesClassTokens ? Head.OfClassTokens(tokens.select(1, 0)).to(float32) : null;
        return (patches.MoveToOuterDisposeScope(), classes?.MoveToOuterDisposeScope());
    }

    /// <summary>What the teacher says, on the student's grid, each normalised. No gradient. [B, C, S, S] -> float32 [B, N, T], and [B, T] of class
    /// tokens or null.</summary>
    /// <param name="images">Pixels, normalised for the student.</param>
    public (Tensor Patches, Tensor? Classes) Targets(Tensor images)
    {
        using var untracked = no_grad();
        using var scope = NewDisposeScope();
        var tokens = Teacher.forward(ForTeacher(images)).to(float32);
        var patches = OnGrid(EncodedTokens.Patches(tokens, Teacher.Shape));
        var classes = Options.ComparesClassTokens ? ImageJepa.Normalized(tokens.select(1, 0).contiguous()) : null;
        return (ImageJepa.Normalized(patches).MoveToOuterDisposeScope(), classes?.MoveToOuterDisposeScope());
    }

    /// <summary>Pixels as the teacher's own training had them. [B, C, S, S] -> [B, C, S', S'].</summary>
    /// <param name="images">Pixels, normalised for the student.</param>
    internal Tensor ForTeacher(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        var pixels = _scale is null ? images.alias() : images.mul(_scale).Add(_shift!);
        long size = Options.SizeForTeacher;
        if (pixels.shape[^1] != size)
            pixels = nn.functional.interpolate(pixels, size: [size, size], mode: InterpolationMode.Bicubic, align_corners: false);
        return pixels.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Describe(int images, int batches, ulong seed)
    {
        var (teacher, side) = (Teacher.Shape, Options.SizeForTeacher / Teacher.Shape.PatchSize);
        var grid = side == Encoder.Shape.GridWidth ? "" : $", brought to the student's {Encoder.Shape.GridHeight}x{Encoder.Shape.GridWidth}";
        var classes = Options.ComparesClassTokens ? ", and of its class token" : "";
        return
        [
            $"taught: what {Options.TeacherName} ({teacher.Width} wide, {teacher.Depth} blocks, fingerprint {_fingerprint.Value[..12]}) says of "
                + $"{side}x{side} patches{grid}{classes}",
        ];
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Measure(MonitoredImages images) => DistillationMeasures.Of(this, images);

    /// <inheritdoc/>
    public override ObjectiveCost Cost(IReadOnlyList<int> indices, Step step) => DistillationOperations.CostOf(Options);

    /// <inheritdoc/>
    public override StepOperations Operations(IReadOnlyList<int> indices, Step step) => DistillationOperations.Of(Options, (indices ?? []).Count);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _scale?.Dispose();
            _shift?.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>Mean over all numbers.</summary>
    internal Tensor Distance(Tensor said, Tensor target) => Options.Loss == JepaLoss.L2
        ? nn.functional.mse_loss(said, target)
        : nn.functional.smooth_l1_loss(said, target, beta: 1);

    /// <summary>The teacher's patches on the student's grid: as they are, averaged where it is coarser, bilinear where it is finer.</summary>
    private Tensor OnGrid(Tensor patches)
    {
        var (side, rows, columns) = (Options.SizeForTeacher / Teacher.Shape.PatchSize, Encoder.Shape.GridHeight, Encoder.Shape.GridWidth);
        if (side == rows && side == columns) return patches.contiguous();
        using var scope = NewDisposeScope();
        var map = patches.transpose(1, 2).reshape(patches.shape[0], -1, side, side);
        map = side > rows
            ? nn.functional.adaptive_avg_pool2d(map, [rows, columns])
            : nn.functional.interpolate(map, size: [rows, columns], mode: InterpolationMode.Bilinear, align_corners: false);
        return map.flatten(2).transpose(1, 2).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>x σ/σ' + (μ - μ')/σ', from the student's μ, σ to the teacher's. [1, C, 1, 1] each; none where they are the same.</summary>
    private static (Tensor? Scale, Tensor? Shift) Renormalization(DistillationOptions options, Device device)
    {
        var (ours, theirs) = (options.Pixels, options.TeacherPixels);
        if (ours.Mean.SequenceEqual(theirs.Mean) && ours.Deviation.SequenceEqual(theirs.Deviation)) return (null, null);
        Tensor Of(Func<int, double> value) =>
            tensor([.. Enumerable.Range(0, ours.Mean.Count).Select(c => (float)value(c))], [1, ours.Mean.Count, 1, 1], device: device)
                .DetachFromDisposeScope();
        return (Of(c => ours.Deviation[c] / theirs.Deviation[c]), Of(c => (ours.Mean[c] - theirs.Mean[c]) / theirs.Deviation[c]));
    }
}
