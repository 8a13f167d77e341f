namespace JepaSharp.Configuration;

/// <summary>Loss, schedules and the optimizer. YAML section <c>optimization</c>. Paper, appendix A.1.</summary>
public sealed record OptimizationOptions
{
    /// <summary>Passes over the images. 600 (paper, ViT-B/16).</summary>
    public int Epochs { get; init; } = 600;

    /// <summary>Stop after this many steps, with the schedules of the whole run; null for the end of the last epoch. Ours.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>Micro-batches of <see cref="DataOptions.BatchSize"/> images per step, their gradients averaged. 1. Ours.</summary>
    public int Accumulate { get; init; } = 1;

    /// <summary>
    /// Keep only the blocks' inputs for the backward pass and compute the rest again: less memory, a third more work. On the CPU kernels only. False.
    /// Ours.
    /// </summary>
    public bool CheckpointActivations { get; init; }

    /// <summary>Epochs over which the learning rate rises linearly; may be fractional. 40 (published files).</summary>
    public double Warmup { get; init; } = 40;

    /// <summary>Epochs at the end over which the learning rate falls linearly, with <see cref="RateSchedule.ThreePhase"/>; may be fractional. 0.
    /// Ours.</summary>
    public double Cooldown { get; init; }

    /// <summary>Learning rate at the first step. 2e-4 (published files).</summary>
    public double StartLr { get; init; } = 0.0002;

    /// <summary>Learning rate at the end of the warm-up, the highest. 1e-3.</summary>
    public double Lr { get; init; } = 0.001;

    /// <summary>Learning rate that the cosine falls to. 1e-6.</summary>
    public double FinalLr { get; init; } = 1e-6;

    /// <summary>
    /// Images a step that <see cref="Lr"/> is meant for: the highest rate is lr times a step's images over this many. Null: lr as it is. Null. Ours.
    /// </summary>
    public int? LrImages { get; init; }

    /// <summary>How the learning rate is counted along. Stepped (published I-JEPA); each objective has its own. Ours.</summary>
    public RateSchedule Schedule { get; init; } = RateSchedule.Stepped;

    /// <summary>Weight decay at the first step. 0.04.</summary>
    public double WeightDecay { get; init; } = 0.04;

    /// <summary>Weight decay at the last step, reached along a cosine. 0.4.</summary>
    public double FinalWeightDecay { get; init; } = 0.4;

    /// <summary>Momentum of the target encoder's average, first and last, linear between (along a cosine, where the schedule is
    /// tabled). [0.996, 1.0].</summary>
    public MomentumRange Ema { get; init; } = new(0.996, 1.0);

    /// <summary>Schedules are drawn out over this many times the run's steps, and cut off at its end. 1.0.</summary>
    public double IpeScale { get; init; } = 1.0;

    /// <summary>
    /// Steps that all schedules are laid out over, in place of those of all epochs; at least <see cref="MaxSteps"/>, which then has to be given.
    /// Null. Ours.
    /// </summary>
    public int? ScheduleSteps { get; init; }

    /// <summary>Distance between predicted and target features. Smooth L1 (published code; the paper says L2). Ours.</summary>
    public JepaLoss Loss { get; init; } = JepaLoss.SmoothL1;

    /// <summary>AdamW's decay of the mean gradient. 0.9. Ours.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW's decay of the mean squared gradient. 0.999. Ours.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>AdamW's term that keeps the division finite. 1e-8. Ours.</summary>
    public double Eps { get; init; } = 1e-8;

    /// <summary>Largest L2 norm of the whole gradient; null for no clipping. Null. Ours.</summary>
    public double? ClipGrad { get; init; }

    /// <summary>Steps in a row that are skipped, changing no weight, where loss or gradient is not finite, before the run stops. 0. Ours.</summary>
    public int SkipNonFinite { get; init; }

    /// <summary>The highest learning rate: <see cref="Lr"/>, scaled with a step's images where <see cref="LrImages"/> says so.</summary>
    /// <param name="batch">B, images in a micro-batch.</param>
    public double PeakRate(int batch) => LrImages is >= 1 and var images ? Lr * batch * Accumulate / images : Lr;
}

/// <summary>How a learning rate's warm-up and cosine are counted along. In YAML: stepped, fractional, current, tabled.</summary>
public enum RateSchedule
{
    /// <summary>By whole steps, each at the rate of what is done after it, as I-JEPA is published: the first step is at rate 1 of W.</summary>
    Stepped,

    /// <summary>By fractions of epochs, each step at the rate of what is done before it, as MAE is published: the first step is at the rate that the
    /// warm-up starts from.</summary>
    Fractional,

    /// <summary>By whole steps, each at the rate of what is done before it, as LeJEPA is published.</summary>
    Current,

    /// <summary>A value for every step, of which the last of the warm-up is the highest already, as DINO, iBOT and data2vec are published; weight
    /// decay and momentum as well.</summary>
    Tabled,

    /// <summary>Linearly up over the warm-up, level, and linearly down over the cool-down, all ends included, as an option of data2vec; weight decay
    /// and momentum as with <see cref="Tabled"/>.</summary>
    ThreePhase,

    /// <summary>The highest rate falls linearly to the final one over all steps, a step late, so that the first two have it whole, as an option of
    /// RCDM; no warm-up.</summary>
    Annealed,
}

/// <summary>The distance between a prediction and its target. In YAML: smooth_l1, l2.</summary>
public enum JepaLoss
{
    /// <summary>Smooth L1 with β = 1, the published code's choice: half the square below 1, the absolute difference less one half above.</summary>
    SmoothL1,

    /// <summary>Mean squared error, as the paper's text has it (section 3).</summary>
    L2,
}
