using System.Text.Json;
using JepaSharp.Configuration;
using JepaSharp.Masking;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Training;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Parity;

/// <summary>A short training run recorded from the published MAE in float32, and the same run set up here, from a configuration.</summary>
internal sealed class RecordedAutoencoder : IDisposable
{
    private readonly SafetensorsFile _initial, _batches, _expected;
    private readonly JsonElement _facts;
    private int _first;

    public RecordedAutoencoder(string recording)
    {
        _initial = SafetensorsFile.Open(RecordedFolders.PathOf(recording, "initial.safetensors"));
        _batches = SafetensorsFile.Open(RecordedFolders.PathOf(recording, "batches.safetensors"));
        _expected = SafetensorsFile.Open(RecordedFolders.PathOf(recording, "expected.safetensors"));
        _facts = RecordedFolders.FactsOf(recording);
        Plan = new PretrainPlan(OptionsOf(_facts));
        Objective = new MaskedAutoencoder(Plan.MaskedAutoencoder with { Noise = Replayed });
        Step = new TrainingStep(Objective, Schedules, new StepSettings(Optimizer: Plan.Optimizer));
        using var untracked = no_grad();
        foreach (var (name, tensor) in Weights())
        {
            using var initial = _initial.Read(name);
            Assert.Equal(initial.shape, tensor.shape);
            // Tables of positions are not trained: ours have to be the recorded ones already.
            if (name.EndsWith("pos_embed", StringComparison.Ordinal)) Assert.True(RecordedRun.Difference(tensor, initial).Absolute < 1e-6);
            else _ = tensor.copy_(initial);
        }

        Step.State.WeightsReplaced();
    }

    public PretrainPlan Plan { get; }

    public MaskedAutoencoder Objective { get; }

    public TrainingStep Step { get; }

    public Schedules Schedules => Plan.Schedules(IterationsPerEpoch);

    public int IterationsPerEpoch => _facts.GetProperty("iterations_per_epoch").GetInt32();

    public int EpochsRun => _facts.GetProperty("epochs_run").GetInt32();

    public int Accumulate => Plan.Options.Optimization.Accumulate;

    public int KeptPatches => _facts.GetProperty("kept_patches").GetInt32();

    /// <summary>The published names and what they are here.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> Weights() =>
        Objective.Networks.SelectMany(n => n.Module.state_dict()).Select(w => (w.Key, w.Value));

    /// <summary>Of every iteration that was taken.</summary>
    public IReadOnlyList<(double Loss, double LearningRate, bool Moved)> Iterations =>
        [.. _facts.GetProperty("steps").EnumerateArray().Select(e => (
            e.GetProperty("loss").GetDouble(), e.GetProperty("learning_rate").GetDouble(), e.GetProperty("weights_moved").GetBoolean()))];

    /// <summary>The learning rate of every iteration that was scheduled.</summary>
    public IReadOnlyList<double> ScheduledRates => [.. _facts.GetProperty("schedule").EnumerateArray().Select(e => e.GetDouble())];

    /// <summary>Elements of a weight that no two programs agree on, by the recording's own list.</summary>
    public (long First, long End)? Undetermined(string weight) =>
        _facts.GetProperty("undetermined_slices").TryGetProperty(weight, out var slice) ? (slice[0].GetInt64(), slice[1].GetInt64()) : null;

    public bool Holds(string name) => _expected.Tensors.ContainsKey(name);

    public Tensor Expected(string name) => _expected.Read(name);

    public Tensor Images(int iteration) => _batches.Read($"images.{iteration}");

    public RandomPatches Masks(int iteration)
    {
        _first = iteration;
        return Objective.DrawMasks([.. Enumerable.Range(0, Plan.Options.Data.BatchSize)], JepaSharp.Objectives.Step.Untracked(0));
    }

    /// <summary>One step on the iterations from one on.</summary>
    public StepResult Run(int iteration)
    {
        _first = iteration;
        ViewBatch[] batches = [.. Enumerable.Range(iteration, Accumulate).Select(i => BatchOf(Images(i)))];
        var result = Step.Run(batches);
        foreach (var batch in batches) batch.Dispose();
        return result;
    }

    public static ViewBatch BatchOf(Tensor images) => new(
        new Dictionary<string, Tensor> { ["image"] = images.DetachFromDisposeScope() }, [.. Enumerable.Range(0, (int)images.shape[0])]);

    public void Dispose()
    {
        Step.Dispose();
        Objective.Dispose();
        _initial.Dispose();
        _batches.Dispose();
        _expected.Dispose();
    }

    /// <summary>The published options as our configuration says them; what it does not say is MAE's default here.</summary>
    private static PretrainOptions OptionsOf(JsonElement facts)
    {
        int Number(string key) => facts.GetProperty(key).GetInt32();
        string Option(string key) => facts.GetProperty("options").GetProperty(key).GetRawText();
        return PretrainOptions.Parse($"""
            meta:
              objective: mae
              embed_dim: {Number("embed_dim")}
              depth: {Number("depth")}
              num_heads: {Number("num_heads")}
              mlp_ratio: {Number("mlp_ratio")}
            data:
              crop_size: {Number("image_size")}
              batch_size: {Number("batch")}
            mask:
              patch_size: {Number("patch_size")}
            mae:
              mask_ratio: {Option("mask_ratio")}
              decoder_width: {Number("decoder_embed_dim")}
              decoder_depth: {Number("decoder_depth")}
              decoder_heads: {Number("decoder_num_heads")}
              norm_pix: {Option("norm_pix_loss")}
            optimization:
              epochs: {Option("epochs")}
              warmup: {Option("warmup_epochs")}
              lr: {Option("blr")}
              final_lr: {Option("min_lr")}
              weight_decay: {Option("weight_decay")}
              final_weight_decay: {Option("weight_decay")}
              accumulate: {Option("accum_iter")}
            """);
    }

    /// <summary>The recorded noise: micro-batches are numbered through our run, and iterations that the recording loses are not among them.</summary>
    private void Replayed(ulong seed, long microBatch, int image, Span<double> noise)
    {
        using var recorded = _batches.Read($"noise.{_first + (microBatch % Accumulate)}");
        var all = recorded.data<float>().ToArray();
        for (var i = 0; i < noise.Length; i++) noise[i] = all[(image * noise.Length) + i];
    }
}
