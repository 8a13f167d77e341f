using JepaSharp.Configuration;
using JepaSharp.Data;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using JepaSharp.Pictures;
using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>data2vec for images: a student that sees a masked image predicts what its own average says of the masked patches in the whole one
/// (Baevski et al., "data2vec: A general framework for self-supervised learning in speech, vision and language", ICML 2022).</summary>
/// <remarks>Shapes: B images, N patches, M masked patches of a batch, D width. The blocks and their names are BEiT's.</remarks>
public sealed class Data2Vec : Objective
{
    /// <summary>Its name in configurations and files.</summary>
    public const string ShortName = MetaOptions.Data2Vec;

    /// <summary>Its networks.</summary>
    internal const string StudentName = "student", HeadName = "lm_head", TeacherName = "teacher";

    internal const string TargetDeviation = "target-deviation", OutputDeviation = "output-deviation";

    private const double TargetEpsilon = 1e-5; // of the targets' norms; the network's own is 1e-6
    private const double LeastDeviation = 0.5, VarianceEpsilon = 1e-6;
    private const long DepthItem = -1; // what stochastic depth draws belongs to no image

    private readonly StateTensor? _places;

    /// <summary>Builds student, head and teacher.</summary>
    /// <param name="options">Shapes, masks, targets, view and seed.</param>
    /// <param name="device">Where the networks live. Null: the CPU.</param>
    /// <exception cref="ArgumentException">A shape is inconsistent, or the encoder has no mask token.</exception>
    public Data2Vec(Data2VecOptions options, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!options.Encoder.MaskToken) throw new ArgumentException("data2vec masks patches: the encoder has no mask token.", nameof(options));
        Options = options;
        Student = new VisionTransformer(options.Encoder, device);
        Head = new Dense(HeadName, [options.Encoder.Width, options.Encoder.Width], device);
        foreach (var parameter in Head.parameters()) parameter.DetachFromDisposeScope();
        Teacher = new VisionTransformer(options.Encoder, device);
        Networks =
        [
            new(StudentName, Student, NetworkRole.Trained) { Decays = Decays },
            new(HeadName, Head, NetworkRole.Trained),
            new(TeacherName, Teacher, NetworkRole.Average, Follows: StudentName) { MomentumAt = options.Momentum },
        ];
        if (device?.type == DeviceType.META) return;

        Data2VecInitialization.Of(this);
        StartAverage(Teacher, Student);
        if (!options.AveragesPlaces || Teacher.Relative is not { } relative) return;
        _places = new StateTensor("teacher.relative_position_index", relative.Places.to(float32).DetachFromDisposeScope());
        relative.Follow(_places.Value);
    }

    /// <summary>Shapes, masks, targets and view.</summary>
    public Data2VecOptions Options { get; }

    /// <summary>Sees masked images; what is used afterwards.</summary>
    public VisionTransformer Student { get; }

    /// <summary>What the student says of a masked patch [.., D] -> what the teacher would say [.., D].</summary>
    public Dense Head { get; }

    /// <summary>The student's average; sees whole images.</summary>
    public VisionTransformer Teacher { get; }

    /// <summary>The student, as published.</summary>
    /// <inheritdoc/>
    public override VisionTransformer Encoder => Student;

    /// <inheritdoc/>
    public override string Name => ShortName;

    /// <inheritdoc/>
    public override IReadOnlyList<Network> Networks { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<View> Views => [Options.View];

    /// <summary>The teacher's places in its table of relative positions, where those are averaged.</summary>
    /// <inheritdoc/>
    public override IReadOnlyList<StateTensor> State => _places is null ? [] : [_places];

    /// <summary>Deviations over the masked patches of a batch, mean over dimensions: one that falls to 0 is a collapse.</summary>
    /// <inheritdoc/>
    public override IReadOnlyList<string> Numbers => [TargetDeviation, OutputDeviation];

    /// <inheritdoc/>
    public override Tensor Loss(ViewBatch batch, Step step)
    {
        using var scope = NewDisposeScope();
        var images = batch[Options.View.Name];
        using var masks = new MaskedPatches(DrawMasks(batch.Indices, step), images.device);
        step.Count(Data2VecOperations.Of(Options, masks));
        MovePlaces(step);
        var targets = Targets(images, masks);
        using var dropping = Student.DropPaths(Options.DropPath, step.Random(item: DepthItem));
        var outputs = Predict(images, masks);
        if (masks.Count > 1)
        {
            step.Report(TargetDeviation, Deviation(targets));
            step.Report(OutputDeviation, Deviation(outputs.detach()));
        }
        else
        {
            step.Report(TargetDeviation, 0);
            step.Report(OutputDeviation, 0);
        }

        return Distance(outputs, targets).MoveToOuterDisposeScope();
    }

    /// <summary>What the student, which sees the mask token in their place, predicts of the masked patches. -> float32 [M, D].</summary>
    /// <param name="images">Normalised pixels [B, C, H, W].</param>
    /// <param name="masks">Which patches.</param>
    public Tensor Predict(Tensor images, MaskedPatches masks)
    {
        ArgumentNullException.ThrowIfNull(masks);
        using var scope = NewDisposeScope();
        return Head.forward(Student.EncodeMasked(images, masks.Masked, masks.ByImage)).to(float32).MoveToOuterDisposeScope();
    }

    /// <summary>What the teacher, which sees the whole image, says of the masked patches: the mean of several blocks' outputs, before the final norm.
    /// No gradient. -> float32 [M, D].</summary>
    /// <param name="images">Normalised pixels [B, C, H, W].</param>
    /// <param name="masks">Which patches.</param>
    public Tensor Targets(Tensor images, MaskedPatches masks)
    {
        ArgumentNullException.ThrowIfNull(masks);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        Tensor? sum = null;
        foreach (var tokens in Teacher.BlockOutputs(images, Options.TargetBlocks, Options.Target == Data2VecTarget.Branch))
        {
            // A norm of each patch by itself, so that only those which are asked for need it.
            var patches = EncodedTokens.Patches(tokens, Options.Encoder).flatten(0, 1).index_select(0, masks.Rows).to(float32);
            var layer = Options.NormalizesBlocks ? Normalized(patches) : patches;
            sum = sum is null ? layer : sum.Add(layer);
        }

        var mean = sum!.Multiply(1.0 / Options.TargetBlocks.Count);
        return (Options.NormalizesMean ? Normalized(mean) : mean).MoveToOuterDisposeScope();
    }

    /// <summary>Smooth L1 over all numbers of all masked patches of a batch, and the term for their variance. Both float32 [M, D] -> [].</summary>
    /// <remarks>With s the scale, w the weight of the term and σ_d the deviation of dimension d over the M rows: s (mean ℓ_β(o - y) + w mean_d max(0,
    /// 0.5 - √(σ_d² + 1e-6))). Of no masked patch at all the loss is 0.</remarks>
    /// <param name="outputs">o.</param>
    /// <param name="targets">y.</param>
    public Tensor Distance(Tensor outputs, Tensor targets)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        ArgumentNullException.ThrowIfNull(targets);
        using var scope = NewDisposeScope();
        var distance = outputs.shape[0] == 0 ? outputs.sum() : nn.functional.smooth_l1_loss(outputs, targets, beta: Options.Beta);
        if (Options.Variance > 0 && outputs.shape[0] > 1)
        {
            var deviations = outputs.var([0L], unbiased: true).Add(tensor((float)VarianceEpsilon, device: outputs.device)).sqrt();
            var missing = tensor((float)LeastDeviation, device: outputs.device).Subtract(deviations).relu().mean();
            distance = distance.Add(missing.Multiply(Options.Variance));
        }

        return (Options.LossScale == 1 ? distance : distance.Multiply(Options.LossScale)).MoveToOuterDisposeScope();
    }

    /// <summary>The masks of a batch: [N] of each image, true where a patch is masked.</summary>
    /// <param name="indices">[B], index of each image in its source.</param>
    /// <param name="step">What they are keyed by.</param>
    public IReadOnlyList<bool[]> DrawMasks(IReadOnlyList<int> indices, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        return [.. indices.Select(image => Options.Draw(step.Seed, step.MicroBatch, image))];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Describe(int images, int batches, ulong seed) => batches > 1 && Options.Variance > 0
        ? [Options.Words(), $"the variance term looks at each of the {batches} micro-batches of a step by itself, not at the step"]
        : [Options.Words()];

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Measure(MonitoredImages images) => Data2VecMeasures.Of(this, images);

    /// <inheritdoc/>
    public override Tensor EncodePart(Tensor images, IReadOnlyList<int> indices, Step step)
    {
        using var scope = NewDisposeScope();
        using var masks = new MaskedPatches(DrawMasks(indices, step), images.device);
        return EncodedTokens.Pooled(Student.EncodeMasked(images, masks.Masked).to(float32), Options.Encoder).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override ObjectiveCost Cost(IReadOnlyList<int> indices, Step step) => Data2VecOperations.CostOf(Options);

    /// <inheritdoc/>
    public override StepOperations Operations(IReadOnlyList<int> indices, Step step)
    {
        using var masks = new MaskedPatches(DrawMasks(indices, step), CPU);
        return Data2VecOperations.Of(Options, masks);
    }

    /// <inheritdoc/>
    public override ObjectivePictures Draw(IReadOnlyList<RgbImage> images, IReadOnlyList<int> indices, Step step, int zoom) => new(
        "What it is asked",
        $"With the mask token in place of up to {Options.Masking.Patches} of {Options.Encoder.Patches} patches, what does the teacher say of them, "
            + "who sees the whole image? The masks of the first step, on images of the data.",
        [.. images.Zip(DrawMasks(indices, step), (image, mask) => (IReadOnlyList<(RgbImage, string)>)
            [(MaskPictures.Shown(image, Options.Grid, Array.ConvertAll(mask, m => !m), zoom), "what the student sees"), (
                MaskPictures.Shown(image, Options.Grid, mask, zoom), "what is to be predicted")])]);

    /// <summary>As published: everything of more than one dimension but the class token and absolute positions; the table of relative positions and
    /// the mask token with the rest.</summary>
    private static bool Decays(string name) => Data2VecInitialization.IsMatrix(name) && name is not ("cls_token" or "pos_embed");

    /// <summary>places &lt;- ⌊d places + (1 - d) student's⌋ in float32, as the published average treats them like weights.</summary>
    private void MovePlaces(Step step)
    {
        if (_places is null) return;
        var momentum = Options.Momentum(step.Number);
        var moved = _places.Value.Multiply((float)momentum).Add(Student.Relative!.Places.to(float32).Multiply((float)(1 - momentum)));
        step.Move(_places.Value, moved.trunc(), rate: 1);
    }

    private Tensor Normalized(Tensor rows) => nn.functional.layer_norm(rows, [Options.Encoder.Width], eps: TargetEpsilon);

    private static Tensor Deviation(Tensor rows) => rows.std([0L], unbiased: true).mean();
}
