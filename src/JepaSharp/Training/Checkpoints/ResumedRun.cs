using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Data.Sources;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;

namespace JepaSharp.Training.Checkpoints;

/// <summary>
/// Holds what a run is about to go on with against what its checkpoint was taken with: refuses what would be another run, and says what
/// changes.
/// </summary>
internal static class ResumedRun
{
    private const int Shown = 12;

    /// <summary>Options that decide which images a step sees.</summary>
    private static readonly string[] Place = ["data.batch_size", "optimization.accumulate", "meta.seed"];

    /// <summary>Options of the schedules.</summary>
    private static readonly string[] Schedule =
    [
        "optimization.epochs", "optimization.warmup", "optimization.start_lr", "optimization.lr", "optimization.final_lr",
        "optimization.weight_decay", "optimization.final_weight_decay", "optimization.ema", "optimization.ipe_scale",
        "optimization.schedule_steps",
    ];

    /// <summary>
    /// Options that change nothing of what is learned, or that are held against something better: the networks' shapes, the images, the
    /// precision itself.
    /// </summary>
    private static readonly string[] Elsewhere =
    [
        "data.path", "data.root_path", "data.image_folder", "data.max_images", "data.scene_count", "data.scene_size", "data.scene_seed",
        "data.num_workers", "data.prefetch", "data.memory_mb", "data.pin_mem", "data.on_error", "data.max_unreadable", "data.crop_size",
        "mask.patch_size", "meta.model_name", "meta.embed_dim", "meta.depth", "meta.num_heads", "meta.mlp_ratio", "meta.pred_depth",
        "meta.pred_emb_dim", "meta.pred_num_heads", "meta.use_bfloat16", "meta.precision", "meta.device", "meta.load_checkpoint",
        "meta.read_checkpoint", "meta.copy_data", "optimization.max_steps", "optimization.checkpoint_activations",
        "optimization.skip_non_finite", "distill.teacher", "distill.teacher_encoder", "distill.teacher_heads", "rcdm.weights", "rcdm.heads",
    ];

    /// <summary>Compares.</summary>
    /// <param name="checkpoint">Its folder, for messages.</param>
    /// <param name="before">What the checkpoint says; an old one says less, and less is compared.</param>
    /// <param name="now">The same of the run that is to go on.</param>
    /// <param name="source">Its images.</param>
    /// <param name="batches">Batches of an epoch.</param>
    /// <returns>What changes, a sentence each.</returns>
    /// <exception cref="JepaException">It would be another run: other images, another order of them, or other networks.</exception>
    public static IReadOnlyList<string> Compare(string checkpoint, CheckpointState before, CheckpointState now, ImageSource source, int batches)
    {
        if (before.Images == now.Images && before.Seen?.DifferenceTo(now.Seen!, source) is { } difference)
            throw new JepaException(
                $"{source.Description} does not hold the images that the run was trained on: {difference}. "
                + "A run resumes only with the same images, wherever they lie; "
                + $"to train on with others, start a new run from its weights (--init {checkpoint}).",
                isUsage: true);
        foreach (var (name, fingerprint) in before.Fixed ?? new Dictionary<string, string>())
        {
            if (now.Fixed?.GetValueOrDefault(name) is { } found && found != fingerprint)
                throw new JepaException(
                    $"The {name} is not the one that the run began with: the fingerprint of its weights was {fingerprint[..Shown]}... and is "
                        + $"{found[..Shown]}.... Put its file back, or start a new run from this one's weights (--init {checkpoint}).",
                    isUsage: true);
        }

        var said = new List<string>();
        if (Parsed(before.Config) is { } then && Parsed(now.Config) is { } options)
        {
            var changes = OptionChange.Between(then, options);
            RequireSameRun(checkpoint, before, changes, new PretrainPlan(then), new PretrainPlan(options));
            if (ScheduleNote(before.Step, changes, new PretrainPlan(then), new PretrainPlan(options), batches) is { } schedule) said.Add(schedule);
            var others = changes.Where(change => !Place.Contains(change.Key) && !Schedule.Contains(change.Key) && !Elsewhere.Contains(change.Key)
                && !change.Key.StartsWith("logging.", StringComparison.Ordinal)).ToList();
            if (others.Count > 0) said.Add(Invariant($"changed after step {before.Step:n0}: {string.Join("; ", others)}"));
        }

        if (before.Precision is { } precision && !IsSame(precision, now.Precision!))
            said.Add(Invariant($"the run computed in {InWords(precision)} up to step {before.Step:n0} and goes on in {InWords(now.Precision!)}"));
        return said;
    }

    /// <summary>Older checkpoints say the number format alone.</summary>
    private static bool IsSame(string before, string now) =>
        before == now || (Computation.Of(before) is null && Computation.Of(now) is { } computation && computation.Precision.ToString() == before);

    private static string InWords(string key) => Computation.Of(key)?.Words ?? key;

    private static void RequireSameRun(
        string checkpoint, CheckpointState before, IReadOnlyList<OptionChange> changes, PretrainPlan then, PretrainPlan now)
    {
        var place = changes.Where(change => Place.Contains(change.Key)).ToList();
        if (place.Count > 0)
            throw new JepaException(
                Invariant($"{string.Join("; ", place)}, after {Quantity.Of(before.Step, "step")}: ")
                + "the steps to come would not see the images in the order that the run began with, and its place among them would be lost. "
                + $"Put it back, or start a new run from its weights (--init {checkpoint}).",
                isUsage: true);
        if (then.Encoder == now.Encoder && then.Predictor == now.Predictor) return;
        var shape = changes.Where(change =>
            change.Key is "data.crop_size" or "mask.patch_size" or "ijepa.target" || change.Key.StartsWith("meta.", StringComparison.Ordinal));
        throw new JepaException(
            $"The checkpoint {checkpoint} is of another architecture: {string.Join("; ", shape)}. "
            + "Put it back: use the configuration that it was trained with.",
            isUsage: true);
    }

    private static string? ScheduleNote(long step, IReadOnlyList<OptionChange> changes, PretrainPlan then, PretrainPlan now, int batches)
    {
        var own = changes.Where(change => Schedule.Contains(change.Key)).ToList();
        if (own.Count == 0) return null;
        var (before, after) = (Steps(then), Steps(now));
        var how = before == after
            ? "the schedules change"
            : Invariant($"the schedules are {(after > before ? "stretched" : "shortened")} from {before:n0} to {Quantity.Of(after, "step")}");
        var (was, becomes) = (then.Schedules(batches).LearningRate(Math.Max(step, 1)), now.Schedules(batches).LearningRate(step + 1));
        var rates = step == 0
            ? Invariant($"the learning rate at step 1, {was:G4} before, is {becomes:G4}")
            : Invariant($"the learning rate was {was:G4} at step {step:n0} and is {becomes:G4} at step {step + 1:n0}");
        var over = step >= after ? Invariant($"; with {Quantity.Of(step, "step")} taken, nothing is left to do") : "";
        return $"{string.Join("; ", own)}: {how}; {rates}{over}";

        long Steps(PretrainPlan plan) =>
            plan.Options.Optimization.ScheduleSteps ?? ((long)plan.Options.Optimization.Epochs * plan.StepsPerEpoch(batches));
    }

    /// <summary>
    /// The options of a checkpoint; null where it has none, or a later version of the program wrote keys that this one does not know.
    /// </summary>
    private static PretrainOptions? Parsed(string? config)
    {
        try
        {
            return config is null ? null : PretrainOptions.Parse(config);
        }
        catch (JepaException)
        {
            return null;
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
