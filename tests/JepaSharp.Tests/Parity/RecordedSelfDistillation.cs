using System.Text.Json;
using JepaSharp.Configuration;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Training;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Parity;

/// <summary>A short run of DINO or iBOT recorded from published code in float32, and the same run set up here.</summary>
internal sealed class RecordedSelfDistillation : IDisposable
{
    private readonly SafetensorsFile _initial, _batches, _expected;
    private readonly JsonElement _facts;
    private readonly int _local, _images;

    public RecordedSelfDistillation(string recording, ScalarType precision = ScalarType.Float32)
    {
        SafetensorsFile Open(string file) => SafetensorsFile.Open(RecordedFolders.PathOf(recording, file));
        (_initial, _batches, _expected) = (Open("initial.safetensors"), Open("batches.safetensors"), Open("expected.safetensors"));
        _facts = RecordedFolders.FactsOf(recording);
        (_local, _images) = ((int)Number("local_views"), (int)Number("batch"));
        IsIbot = recording.StartsWith("ibot", StringComparison.Ordinal);
        Objective = IsIbot ? NewIbot() : NewDino();
        var (clip, options) = (Option("clip_grad"), _facts.GetProperty("options"));
        Schedules = new Schedules(new ScheduleOptions
        {
            StepsPerEpoch = (long)Number("iterations_per_epoch"),
            Epochs = Option("epochs"),
            WarmupEpochs = Option("warmup_epochs"),
            StartLearningRate = 0,
            LearningRate = Number("peak_learning_rate"),
            FinalLearningRate = Option("min_lr"),
            WeightDecay = Option("weight_decay"),
            FinalWeightDecay = Option("weight_decay_end"),
            StartMomentum = Option("momentum_teacher"),
            FinalMomentum = 1,
            Kind = RateSchedule.Tabled,
        });
        Step = new TrainingStep(
            Objective, Schedules, new StepSettings(precision, new OptimizerSettings(ClipNorm: clip > 0 ? clip : null)));
        Load(_initial, "");
        if (IsIbot) LoadState(_initial, "center", "center2");
        else LoadState(_initial, "center");
    }

    public bool IsIbot { get; }

    public Objective Objective { get; }

    public Dino Dino => (Dino)Objective;

    public Ibot Ibot => (Ibot)Objective;

    public Schedules Schedules { get; }

    public TrainingStep Step { get; }

    public int Images => _images;

    public bool HasLocal => _local > 0;

    public IReadOnlyList<JsonElement> Steps => [.. _facts.GetProperty("steps").EnumerateArray()];

    public JsonElement Facts => _facts;

    public Tensor Expected(string name) => _expected.Read(name);

    public bool Holds(string name) => _expected.Tensors.ContainsKey(name);

    /// <summary>The views of a step.</summary>
    public ViewBatch Batch(int step)
    {
        Tensor Of(int first, int count)
        {
            using var scope = NewDisposeScope();
            return cat([.. Enumerable.Range(first, count).Select(j => _batches.Read($"views.{step}.{j}"))]).DetachFromDisposeScope();
        }

        var images = new Dictionary<string, Tensor> { ["global"] = Of(0, 2) };
        if (_local > 0) images["local"] = Of(2, _local);
        return new ViewBatch(images, [.. Enumerable.Range(0, _images)]);
    }

    /// <summary>The recorded masks of a step's large views, [Q B] of [N]; none before the epoch that they begin in.</summary>
    public IReadOnlyList<bool[]> Masks(int step)
    {
        using var scope = NewDisposeScope();
        var isMasked = Steps[step].GetProperty("epoch").GetInt32() >= (int)Option("pred_start_epoch");
        return [.. Enumerable.Range(0, 2).SelectMany(view =>
        {
            var mask = _batches.Read($"masks.{step}.{view}").flatten(1);
            return Enumerable.Range(0, _images).Select(i => mask[i].data<byte>().Select(b => isMasked && b == 1).ToArray());
        })];
    }

    public void LoadFinal() => Load(_expected, "final.");

    /// <summary>Network, name and values of every weight.</summary>
    public IEnumerable<(string Network, string Name, Tensor Value)> Weights() =>
        Objective.Networks.SelectMany(n => n.Module.state_dict().Select(w => (n.Name, w.Key, w.Value)));

    /// <summary>What the recording calls a weight.</summary>
    public static string NameOf(string network, string name) => network switch
    {
        "student_head" => $"student.head.{name}",
        "teacher_head" => $"teacher.head.{name}",
        "student_mask" => $"student.backbone.{name}",
        _ => $"{network}.backbone.{name}",
    };

    /// <summary>A tensor without what is undetermined of it: the key third of a bias of queries, keys and values.</summary>
    public static Tensor Determined(string recorded, Tensor value) => RecordedLeJepa.Determined(recorded, value);

    public double Option(string key) => _facts.GetProperty("options").GetProperty(key) is var value
        && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? (value.GetBoolean() ? 1 : 0) : value.GetDouble();

    public void Dispose()
    {
        Step.Dispose();
        Objective.Dispose();
        _initial.Dispose();
        _batches.Dispose();
        _expected.Dispose();
    }

    private double Number(string key) => _facts.GetProperty(key).GetDouble();

    private VisionTransformerShape Shape() => RecordedRun.ShapeOf(_facts) with
    {
        ClassToken = true,
        LearnedPositions = true,
        Resizing = PositionResizing.BicubicOffset,
    };

    private ProjectionHeadShape Head(int? patches) => new(
        (int)Number("embed_dim"), (int)Number("head_hidden_dim"), (int)Number("head_bottleneck_dim"), (int)Number("out_dim"), patches,
        LearnsLengths: Option("norm_last_layer") == 0);

    private View Large() => new("global", new TrainingTransform { CropSize = (int)Number("image_size") }, 2);

    private View? Small() => _local == 0 ? null : new View("local", new TrainingTransform { CropSize = (int)Number("local_size") }, _local);

    private Dino NewDino() => new(new DinoOptions
    {
        Encoder = Shape(),
        Head = Head(null),
        Global = [Large()],
        Local = Small(),
        StudentTemperature = Number("student_temperature"),
        Temperature = new TemperatureSchedule(
            Option("warmup_teacher_temp"), Option("teacher_temp"), (int)Option("warmup_teacher_temp_epochs")),
        CenterMomentum = Number("center_momentum"),
        FrozenEpochs = (int)Option("freeze_last_layer"),
    });

    private Ibot NewIbot() => new(new IbotOptions
    {
        Encoder = Shape(),
        Head = Head(Option("shared_head") == 1 ? null : (int)Number("patch_out_dim")),
        Global = [Large()],
        Local = Small(),
        Masks = (_, step) => Masks((int)step.MicroBatch),
        ClassWeight = Option("lambda1"),
        PatchWeight = Option("lambda2"),
        StudentTemperature = Number("student_temperature"),
        Temperature = new TemperatureSchedule(
            Option("warmup_teacher_temp"), Option("teacher_temp"), (int)Option("warmup_teacher_temp_epochs")),
        PatchTemperature = new TemperatureSchedule(
            Option("warmup_teacher_patch_temp"), Option("teacher_patch_temp"), (int)Option("warmup_teacher_temp_epochs"),
            (int)Option("pred_start_epoch")),
        CenterMomentum = Number("center_momentum"),
        PatchCenterMomentum = Number("patch_center_momentum"),
        FrozenEpochs = (int)Option("freeze_last_layer"),
    });

    private void Load(SafetensorsFile file, string prefix)
    {
        using var untracked = no_grad();
        foreach (var (network, name, tensor) in Weights())
        {
            using var read = file.Read(prefix + NameOf(network, name));
            Assert.Equal(read.shape, tensor.shape);
            _ = tensor.copy_(read);
        }

        Step.State.WeightsReplaced();
    }

    private void LoadState(SafetensorsFile file, params string[] names)
    {
        using var untracked = no_grad();
        foreach (var (state, name) in Objective.State.Zip(names))
        {
            using var read = file.Read(name);
            Assert.Equal(read.shape, state.Value.shape);
            _ = state.Value.copy_(read);
        }
    }
}
