using System.Globalization;
using System.Text.Json;
using JepaSharp.Configuration;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Training;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Parity;

/// <summary>A short training run recorded from the published data2vec in float32, and the same run set up here, from a configuration.</summary>
internal sealed class RecordedData2Vec : IDisposable
{
    private readonly SafetensorsFile _initial, _batches, _expected;
    private readonly JsonElement _facts;
    private int _iteration;

    /// <param name="recording">Its name.</param>
    public RecordedData2Vec(string recording)
    {
        _initial = SafetensorsFile.Open(RecordedFolders.PathOf(recording, "initial.safetensors"));
        _batches = SafetensorsFile.Open(RecordedFolders.PathOf(recording, "batches.safetensors"));
        _expected = SafetensorsFile.Open(RecordedFolders.PathOf(recording, "expected.safetensors"));
        _facts = RecordedFolders.FactsOf(recording);
        Plan = new PretrainPlan(OptionsOf(_facts));
        var decays = _facts.GetProperty("steps").EnumerateArray().Select(s => s.GetProperty("ema_decay").GetDouble()).ToList();
        Objective = new Data2Vec(Plan.Data2Vec with
        {
            Draw = (_, _, image) => Mask(_iteration, image),
            TargetBlocks = [.. JsonSerializer.Deserialize<int[]>(Option("target_layers").Trim('"'))!],
            LossScale = Number("loss_scale") is > 0 and var scale ? scale : 1,
            // As recorded: 0 stands for no update.
            Momentum = step => decays[(int)step - 1] is > 0 and var decay ? decay : 1,
        });
        Step = new TrainingStep(Objective, Schedules, new StepSettings(Optimizer: Plan.Optimizer));
        using var untracked = no_grad();
        foreach (var (name, tensor) in Weights())
        {
            using var initial = _initial.Read(name);
            Assert.Equal(initial.shape, tensor.shape);
            _ = tensor.copy_(initial);
        }

        Step.State.WeightsReplaced();
    }

    public PretrainPlan Plan { get; }

    public Data2Vec Objective { get; }

    public TrainingStep Step { get; }

    public Schedules Schedules => Plan.Schedules(_facts.GetProperty("iterations_per_epoch").GetInt32());

    public JsonElement Facts => _facts;

    /// <summary>The published names and what they are here. The teacher's head, which nothing reads, is not here.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> Weights() => Objective.Networks.SelectMany(n => n.Module.state_dict().Select(w => (
        n.Name == "lm_head" ? $"student.lm_head.{w.Key}" : $"{n.Name}.{w.Key}", w.Value)));

    public bool Holds(string name) => _expected.Tensors.ContainsKey(name);

    public Tensor Expected(string name) => _expected.Read(name);

    public Tensor Initial(string name) => _initial.Read(name);

    public Tensor Images(int iteration) => _batches.Read($"images.{iteration}");

    public MaskedPatches Masks(int iteration) => new([.. Enumerable.Range(0, 4).Select(image => Mask(iteration, image))], CPU);

    public StepResult Run(int iteration)
    {
        _iteration = iteration;
        using var batch = RecordedAutoencoder.BatchOf(Images(iteration));
        return Step.Run(batch);
    }

    public void Dispose()
    {
        Step.Dispose();
        Objective.Dispose();
        _initial.Dispose();
        _batches.Dispose();
        _expected.Dispose();
    }

    private bool[] Mask(int iteration, int image)
    {
        using var masks = _batches.Read($"masks.{iteration}");
        return [.. masks[image].flatten().data<byte>().Select(b => b == 1)];
    }

    private string Option(string key) => _facts.GetProperty("options").GetProperty(key).GetRawText();

    private double Number(string key) => _facts.GetProperty("options").GetProperty(key).GetDouble();

    /// <summary>The published options as our configuration says them; what it does not say is data2vec's default here.</summary>
    private static PretrainOptions OptionsOf(JsonElement facts)
    {
        int Number(string key) => facts.GetProperty(key).GetInt32();
        string Option(string key) => facts.GetProperty("options").GetProperty(key).GetRawText();
        bool Is(string key) => facts.GetProperty("options").GetProperty(key).GetBoolean();
        string Text(bool value) => value ? "true" : "false";
        var phases = facts.GetProperty("options").GetProperty("tri_phase_schedule").GetString()?.Trim('(', ')').Split(',')
            .Select(share => double.Parse(share, CultureInfo.InvariantCulture) * facts.GetProperty("options").GetProperty("epochs").GetInt32())
            .ToArray();
        var end = facts.GetProperty("options").GetProperty("weight_decay_end").ValueKind == JsonValueKind.Null ? "weight_decay" : "weight_decay_end";
        return PretrainOptions.Parse(string.Create(CultureInfo.InvariantCulture, $"""
            meta:
              objective: data2vec
              embed_dim: {Number("embed_dim")}
              depth: {Number("depth")}
              num_heads: {Number("num_heads")}
              mlp_ratio: {Number("mlp_ratio")}
            data:
              crop_size: {Number("image_size")}
              batch_size: {Number("batch")}
            mask:
              patch_size: {Number("patch_size")}
            data2vec:
              mask_patches: {Number("num_mask_patches")}
              mask_least: {Number("min_mask_patches_per_block")}
              target: {(Option("layer_results") == "\"fc\"" ? "branch" : "output")}
              norm_blocks: {Text(!Is("no_target_layer_norm_last"))}
              norm_mean: {Text(Is("post_target_layer_norm"))}
              beta: {Option("l1_beta")}
              variance: {Option("var_w0")}
              layer_scale: {Option("layer_scale_init_value")}
              positions: {(Is("rel_pos_bias") ? "relative" : "absolute")}
              drop_path: 0
              average_places: {Text(Is("rel_pos_bias") && !facts.GetProperty("teacher_index_moved").GetProperty("teacher_index_kept").GetBoolean())}
            optimization:
              epochs: {Option("epochs")}
              warmup: {phases?[0] ?? facts.GetProperty("options").GetProperty("warmup_epochs").GetDouble()}
              cooldown: {phases?[1] ?? 0}
              schedule: {(phases is null ? "tabled" : "three_phase")}
              lr: {Option("lr")}
              final_lr: {Option("min_lr")}
              weight_decay: {Option("weight_decay")}
              final_weight_decay: {Option(end)}
              clip_grad: {Option("clip_grad")}
            """));
    }
}
