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

/// <summary>A short run of LeJEPA recorded from published code in float32, and the same run set up here.</summary>
internal sealed class RecordedLeJepa : IDisposable
{
    private readonly SafetensorsFile _initial, _batches, _expected;
    private readonly JsonElement _facts;
    private readonly int _global, _local, _perEpoch;

    public RecordedLeJepa(string recording, ScalarType precision = ScalarType.Float32)
    {
        SafetensorsFile Open(string file) => SafetensorsFile.Open(RecordedFolders.PathOf(recording, file));
        (_initial, _batches, _expected) = (Open("initial.safetensors"), Open("batches.safetensors"), Open("expected.safetensors"));
        _facts = RecordedFolders.FactsOf(recording);
        int Number(string key) => _facts.GetProperty(key).GetInt32();
        double Option(string key) => _facts.GetProperty("options").GetProperty(key).GetDouble();
        (_global, _local, _perEpoch) = (Number("global_views"), Number("local_views"), Number("iterations_per_epoch"));
        var shape = RecordedRun.ShapeOf(_facts) with
        {
            ClassToken = true,
            LearnedPositions = true,
            Resizing = PositionResizing.BicubicAntialiased,
        };
        Objective = new LeJepa(new LeJepaOptions
        {
            Encoder = shape,
            Global = new View("global", new TrainingTransform { CropSize = Number("image_size") }, _global),
            Local = _local == 0 ? null : new View("local", new TrainingTransform { CropSize = Number("local_size") }, _local),
            Lambda = Option("lamb"),
            Directions = (int)Option("num_slices"),
            Knots = (int)Option("n_points"),
            LargestKnot = Option("t_max"),
            Embedding = Number("embedding_dim"),
            Hidden = Number("projector_hidden"),
            Projection = Number("proj_dim"),
            Draw = (step, _, _) => Expected($"directions.{step.MicroBatch}"),
        });
        var schedules = new Schedules(new ScheduleOptions
        {
            StepsPerEpoch = _perEpoch,
            Epochs = (double)Steps.Count / _perEpoch,
            WarmupEpochs = 1,
            StartLearningRate = 0.01 * Option("lr"),
            LearningRate = Option("lr"),
            FinalLearningRate = Option("final_lr"),
            WeightDecay = Option("weight_decay"),
            FinalWeightDecay = Option("weight_decay"),
            Kind = RateSchedule.Current,
        });
        Step = new TrainingStep(Objective, schedules, new StepSettings(precision));
        Load(_initial, "");
    }

    public LeJepa Objective { get; }

    public TrainingStep Step { get; }

    /// <summary>Whether embeddings are recorded image by image, each view after the other.</summary>
    public bool IsViewFast => _local == 0;

    public int Views => _global + _local;

    public IReadOnlyList<(double Loss, double Prediction, double Statistic, double LearningRate)> Steps =>
        [.. _facts.GetProperty("steps").EnumerateArray().Select(e => (
            e.GetProperty("loss").GetDouble(), e.GetProperty("loss_prediction").GetDouble(), e.GetProperty("loss_sigreg").GetDouble(),
            e.GetProperty("learning_rate").GetDouble()))];

    public Tensor Expected(string name) => _expected.Read(name);

    public bool Holds(string name) => _expected.Tensors.ContainsKey(name);

    /// <summary>The views of a step; step k sees batch k modulo the iterations of an epoch.</summary>
    public ViewBatch Batch(int step)
    {
        Tensor Of(int first, int count)
        {
            using var scope = NewDisposeScope();
            return cat([.. Enumerable.Range(first, count).Select(j => _batches.Read($"views.{step % _perEpoch}.{j}"))]).DetachFromDisposeScope();
        }

        var images = new Dictionary<string, Tensor> { ["global"] = Of(0, _global) };
        if (_local > 0) images["local"] = Of(_global, _local);
        return new ViewBatch(images, [.. Enumerable.Range(0, _facts.GetProperty("batch").GetInt32())]);
    }

    /// <summary>Sets all weights, and running averages where they are recorded, to those under a prefix.</summary>
    public void Load(SafetensorsFile file, string prefix)
    {
        using var untracked = no_grad();
        foreach (var (network, name, tensor) in Weights())
        {
            using var read = file.Read(prefix + NameOf(network, name));
            Assert.Equal(read.shape, tensor.shape);
            _ = tensor.copy_(read);
        }

        foreach (var (name, tensor) in Running())
        {
            using var read = file.Read(prefix + name);
            _ = tensor.copy_(read);
        }

        Step.State.WeightsReplaced();
    }

    public void LoadFinal() => Load(_expected, "final.");

    /// <summary>Network, name and values of every weight.</summary>
    public IEnumerable<(string Network, string Name, Tensor Value)> Weights() =>
        Objective.Networks.SelectMany(n => n.Module.state_dict().Select(w => (n.Name, w.Key, w.Value)));

    /// <summary>Running averages by their recorded names.</summary>
    public IEnumerable<(string Name, Tensor Value)> Running()
    {
        foreach (var (state, i) in Objective.State.Select((s, i) => (s, i)))
            yield return ($"proj.{(i < 2 ? 1 : 5)}.running_{(i % 2 == 0 ? "mean" : "var")}", state.Value);
    }

    /// <summary>What the recording calls a weight.</summary>
    public static string NameOf(string network, string name) => network switch
    {
        "projector" => $"proj.{name}",
        "head" => $"backbone.head.{name}",
        _ => $"backbone.{name}",
    };

    /// <summary>Whether a weight's gradient is rounding, which Adam turns into steps of the learning rate's size.</summary>
    public static bool IsUndetermined(string recorded) =>
        recorded is "backbone.norm.bias" or "backbone.head.bias" or "proj.0.bias" or "proj.4.bias"
        || recorded.EndsWith("running_mean", StringComparison.Ordinal);

    /// <summary>A tensor without what is undetermined of it: the key third of a bias of queries, keys and values.</summary>
    public static Tensor Determined(string recorded, Tensor value)
    {
        if (!recorded.EndsWith("attn.qkv.bias", StringComparison.Ordinal)) return value;
        var width = value.shape[0] / 3;
        return cat([value.narrow(0, 0, width), value.narrow(0, 2 * width, width)]);
    }

    public void Dispose()
    {
        Step.Dispose();
        Objective.Dispose();
        _initial.Dispose();
        _batches.Dispose();
        _expected.Dispose();
    }
}
