using System.Text.Json;
using JepaSharp.Configuration;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Tests.Training;
using JepaSharp.Training;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Parity;

/// <summary>A short training run recorded from the published implementation in float32, and the same run set up here.</summary>
internal sealed class RecordedRun : IDisposable
{
    private readonly SafetensorsFile _initial;
    private readonly SafetensorsFile _batches;
    private readonly SafetensorsFile _expected;
    private readonly JsonElement _facts;

    /// <summary>A recording of <see cref="RecordedFolders"/>.</summary>
    public static RecordedRun Of(string recording, ScalarType precision = ScalarType.Float32) =>
        new(file => RecordedFolders.PathOf(recording, file), precision);

    /// <summary>A recording in a folder.</summary>
    public RecordedRun(string folder, ScalarType precision = ScalarType.Float32)
        : this(file => Path.Combine(folder, file), precision)
    {
    }

    private RecordedRun(Func<string, string> pathOf, ScalarType precision)
    {
        _initial = SafetensorsFile.Open(pathOf("initial.safetensors"));
        _batches = SafetensorsFile.Open(pathOf("batches.safetensors"));
        _expected = SafetensorsFile.Open(pathOf("expected.safetensors"));
        _facts = JsonDocument.Parse(File.ReadAllText(pathOf("expected.json"))).RootElement;
        int Number(string key) => _facts.GetProperty(key).GetInt32();
        var encoder = ShapeOf(_facts) with { Channels = (int)_initial.Tensors["encoder.patch_embed.proj.weight"].Shape[1] };
        var predictor = new PredictorShape(Number("predictor_embed_dim"), Number("predictor_depth"), Number("predictor_num_heads"));
        var s = _facts.GetProperty("schedule");
        Schedules = new Schedules(new ScheduleOptions
        {
            StepsPerEpoch = s.GetProperty("iterations_per_epoch").GetInt64(),
            Epochs = s.GetProperty("epochs").GetDouble(),
            WarmupEpochs = s.GetProperty("warmup_epochs").GetDouble(),
            StartLearningRate = s.GetProperty("start_lr").GetDouble(),
            LearningRate = s.GetProperty("lr").GetDouble(),
            FinalLearningRate = s.GetProperty("final_lr").GetDouble(),
            WeightDecay = s.GetProperty("weight_decay").GetDouble(),
            FinalWeightDecay = s.GetProperty("final_weight_decay").GetDouble(),
            StartMomentum = s.GetProperty("ema")[0].GetDouble(),
            FinalMomentum = s.GetProperty("ema")[1].GetDouble(),
            Stretch = s.GetProperty("ipe_scale").GetDouble(),
        });
        var o = _facts.GetProperty("optimizer");
        var optimizer =
            new OptimizerSettings(o.GetProperty("betas")[0].GetDouble(), o.GetProperty("betas")[1].GetDouble(), o.GetProperty("eps").GetDouble());
        var loss = _facts.GetProperty("loss").GetString()!.StartsWith("smooth_l1", StringComparison.Ordinal) ? JepaLoss.SmoothL1 : JepaLoss.L2;
        Step = new JepaStep(encoder, predictor, Schedules, new StepSettings(precision, optimizer), loss: loss);
        LoadInitial("encoder.", Objective.ContextEncoder);
        LoadInitial("predictor.", Objective.Predictor);
        LoadInitial("target_encoder.", Objective.TargetEncoder);
        Step.State.WeightsReplaced();
    }

    public ImageJepa Objective => Step.Objective;

    public Schedules Schedules { get; }

    public JepaStep Step { get; }

    /// <summary>Of the first step, by PyTorch's autocast; null where it was not recorded.</summary>
    public double? Bfloat16Loss => _facts.TryGetProperty("loss_bf16_autocast_step0", out var loss) ? loss.GetDouble() : null;

    /// <summary>The encoder's shape as <c>expected.json</c> has it.</summary>
    public static VisionTransformerShape ShapeOf(JsonElement facts)
    {
        int Number(string key) => facts.GetProperty(key).GetInt32();
        return new VisionTransformerShape
        {
            ImageHeight = Number("image_size"),
            ImageWidth = Number("image_size"),
            PatchSize = Number("patch_size"),
            Width = Number("embed_dim"),
            Depth = Number("depth"),
            Heads = Number("num_heads"),
            MlpWidth = (int)Math.Round(Number("embed_dim") * facts.GetProperty("mlp_ratio").GetDouble()),
        };
    }

    public IReadOnlyList<(double Loss, double LearningRate, double WeightDecay, double Momentum)> Steps =>
        [.. _facts.GetProperty("steps").EnumerateArray().Select(e => (
            e.GetProperty("loss").GetDouble(), e.GetProperty("learning_rate").GetDouble(),
            e.GetProperty("weight_decay").GetDouble(), e.GetProperty("ema_momentum").GetDouble()))];

    public Tensor Expected(string name) => _expected.Read(name);

    public Tensor Images(int step) => _batches.Read($"images.{step}");

    public MaskBatch Masks(int step) => new(
        new PatchGrid(Objective.Encoder.Shape.GridHeight, Objective.Encoder.Shape.GridWidth), _facts.GetProperty("batch").GetInt32(),
        Sets($"context_indices.{step}.", _facts.GetProperty("context_blocks").GetInt32()),
        Sets($"target_indices.{step}.", _facts.GetProperty("target_blocks").GetInt32()));

    /// <summary>Largest absolute difference, and largest difference over the largest expected magnitude.</summary>
    public static (double Absolute, double Relative) Difference(Tensor actual, Tensor expected)
    {
        Assert.Equal(expected.shape, actual.shape);
        using var scope = NewDisposeScope();
        var difference = (actual.to(float64) - expected.to(float64)).abs().max().item<double>();
        return (difference, difference / Math.Max(expected.abs().max().to(float64).item<double>(), 1e-30));
    }

    public void Dispose()
    {
        Step.Dispose();
        _initial.Dispose();
        _batches.Dispose();
        _expected.Dispose();
    }

    private List<long[]> Sets(string prefix, int blocks)
    {
        var sets = new List<long[]>();
        for (var j = 0; j < blocks; j++)
        {
            using var indices = _batches.Read($"{prefix}{j}");
            sets.Add(indices.data<long>().ToArray());
        }

        return sets;
    }

    private void LoadInitial(string prefix, nn.Module network)
    {
        using var untracked = no_grad();
        foreach (var (name, tensor) in network.state_dict())
        {
            using var initial = _initial.Read(prefix + name);
            Assert.Equal(initial.shape, tensor.shape);
            _ = tensor.copy_(initial);
        }
    }
}
