using System.Text.Json;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Training;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Parity;

/// <summary>A short run of MSN recorded from the published program in float32, and the same run set up here.</summary>
internal sealed class RecordedMaskedSiamese : IDisposable
{
    private static readonly (string Theirs, string Ours)[] HeadNames =
        [("fc1", "0"), ("bn1", "1"), ("fc2", "4"), ("bn2", "5"), ("fc3", "8")];

    private readonly SafetensorsFile _initial, _batches, _expected;
    private readonly JsonElement _facts;
    private readonly int _focal;

    public RecordedMaskedSiamese(string recording, ScalarType precision = ScalarType.Float32, bool isAhead = false)
    {
        SafetensorsFile Open(string file) => SafetensorsFile.Open(RecordedFolders.PathOf(recording, file));
        (_initial, _batches, _expected) = (Open("initial.safetensors"), Open("batches.safetensors"), Open("expected.safetensors"));
        _facts = RecordedFolders.FactsOf(recording);
        int Number(string key) => _facts.GetProperty(key).GetInt32();
        var options = _facts.GetProperty("options");
        double Option(string key) => options.GetProperty(key).GetDouble();
        bool Is(string key) => options.GetProperty(key).GetBoolean();
        _focal = (int)Option("focal_views");
        View Of(string name, int side, int count) => new(name, new TrainingTransform { CropSize = side }, count);
        Objective = new MaskedSiamese(new MaskedSiameseOptions
        {
            Encoder = RecordedRun.ShapeOf(_facts) with { ClassToken = true, LearnedPositions = true },
            Target = Of("target", Number("image_size"), 1),
            Anchor = Of("anchor", Number("image_size"), (int)Option("rand_views")),
            Focal = _focal == 0 ? null : Of("focal", Number("focal_size"), _focal),
            PatchDrop = Option("patch_drop"),
            Prototypes = Number("num_proto"),
            Hidden = Number("head_hidden_dim"),
            Projection = Number("output_dim"),
            Loss = LossOf(Option("temperature"), Option("label_smoothing"), Is("use_sinkhorn")) with
            {
                MeanEntropyWeight = Is("me_max") ? Option("memax_weight") : 0,
                EntropyWeight = Is("use_ent") ? Option("ent_weight") : 0,
            },
            StartSharpening = Option("start_sharpen"),
            FinalSharpening = Option("final_sharpen"),
            Draw = (step, _, _, kept) => Kept(step.MicroBatch, kept),
        });
        Schedules = new Schedules(new ScheduleOptions
        {
            StepsPerEpoch = Number("iterations_per_epoch"),
            Epochs = Option("epochs"),
            WarmupEpochs = Option("warmup"),
            StartLearningRate = Option("start_lr"),
            LearningRate = Option("lr"),
            FinalLearningRate = Option("final_lr"),
            WeightDecay = Option("weight_decay"),
            FinalWeightDecay = Option("final_weight_decay"),
            Stretch = _facts.GetProperty("schedule_stretch").GetDouble(),
        });
        var clip = Option("clip_grad");
        Step = new TrainingStep(
            Objective, Schedules, new StepSettings(precision, new OptimizerSettings(ClipNorm: clip > 0 ? clip : null), RunsAhead: isAhead));
        Load(_initial, "");
    }

    public MaskedSiamese Objective { get; }

    public Schedules Schedules { get; }

    public TrainingStep Step { get; }

    public JsonElement Facts => _facts;

    public IReadOnlyList<JsonElement> Steps => [.. _facts.GetProperty("steps").EnumerateArray()];

    public Tensor Expected(string name) => _expected.Read(name);

    public static PrototypeLoss LossOf(double temperature, double smoothing, bool balances) =>
        new() { Temperature = temperature, LabelSmoothing = smoothing, Balances = balances };

    public ViewBatch Batch(int step)
    {
        Tensor View(int j) => _batches.Read($"views.{step}.{j}").DetachFromDisposeScope();
        var images = new Dictionary<string, Tensor> { ["target"] = View(0), ["anchor"] = View(1) };
        if (_focal > 0)
        {
            using var scope = NewDisposeScope();
            images["focal"] = cat([.. Enumerable.Range(2, _focal).Select(View)]).DetachFromDisposeScope();
        }

        return new ViewBatch(images, [.. Enumerable.Range(0, _facts.GetProperty("batch").GetInt32())]);
    }

    /// <summary>Sets all weights and running averages to those under a prefix.</summary>
    public void Load(SafetensorsFile file, string prefix)
    {
        using var untracked = no_grad();
        foreach (var (name, tensor) in Weights().Concat(Running()))
        {
            using var read = file.Read(prefix + name);
            Assert.Equal(read.shape, tensor.shape);
            _ = tensor.copy_(read);
        }

        Step.State.WeightsReplaced();
    }

    public void LoadFinal() => Load(_expected, "final.");

    /// <summary>Recorded name and values of every weight.</summary>
    public IEnumerable<(string Name, Tensor Value)> Weights() =>
        Objective.Networks.SelectMany(n => n.Module.state_dict().Select(w => (NameOf(n.Name, w.Key), w.Value)));

    /// <summary>The same of running averages.</summary>
    public IEnumerable<(string Name, Tensor Value)> Running()
    {
        foreach (var state in Objective.State)
        {
            var parts = state.Name.Split('.');
            var encoder = parts[0] == "head" ? "encoder" : "target_encoder";
            yield return ($"{encoder}.fc.bn{int.Parse(parts[1]) + 1}.running_{(parts[2] == "mean" ? "mean" : "var")}", state.Value);
        }
    }

    /// <summary>What the recording calls a weight.</summary>
    public static string NameOf(string network, string name) => network switch
    {
        "prototypes" => "prototypes",
        "head" => $"encoder.fc.{Head(name)}",
        "target_head" => $"target_encoder.fc.{Head(name)}",
        _ => $"{network}.{name}",
    };

    /// <summary>Whether a weight's gradient is rounding, which Adam turns into steps of the learning rate's size.</summary>
    public static bool IsUndetermined(string recorded) =>
        recorded.EndsWith("coder.norm.bias", StringComparison.Ordinal) || recorded.EndsWith("fc.fc1.bias", StringComparison.Ordinal)
        || recorded.EndsWith("fc.fc2.bias", StringComparison.Ordinal) || recorded.EndsWith("running_mean", StringComparison.Ordinal);

    public void Dispose()
    {
        Step.Dispose();
        Objective.Dispose();
        _initial.Dispose();
        _batches.Dispose();
        _expected.Dispose();
    }

    private long[] Kept(long step, int kept)
    {
        using var recorded = _expected.Read($"kept_patches.{step}");
        Assert.Equal(kept, recorded.numel());
        return recorded.data<long>().ToArray();
    }

    private static string Head(string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return HeadNames.Single(pair => pair.Ours == name[..dot]).Theirs + name[dot..];
    }
}
