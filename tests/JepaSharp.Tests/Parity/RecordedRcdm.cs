using System.Globalization;
using System.Text.Json;
using JepaSharp.Configuration;
using JepaSharp.Models;
using JepaSharp.Models.Diffusion;
using JepaSharp.Objectives;
using JepaSharp.Objectives.Diffusion;
using JepaSharp.Optimization;
using JepaSharp.Tests.Objectives;
using JepaSharp.Training;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Parity;

/// <summary>A short run of RCDM recorded from the published program in float32, and the same run set up here.</summary>
internal sealed class RecordedRcdm : IDisposable
{
    private const int Size = 16;

    private readonly SafetensorsFile _batches, _expected;
    private readonly int _sampled;

    public RecordedRcdm(string recording)
    {
        var folder = Path.GetDirectoryName(RecordedFolders.PathOf(recording, "expected.json"))!;
        SafetensorsFile Open(string file) => SafetensorsFile.Open(Path.Combine(folder, file));
        (_batches, _expected, Facts) = (Open("batches.safetensors"), Open("expected.safetensors"), RecordedFolders.FactsOf(recording));
        _sampled = Facts.GetProperty("sampled_entries").GetInt32();
        BatchSize = Facts.GetProperty("batch").GetInt32();
        var options = Facts.GetProperty("options");
        int Number(string key) => options.GetProperty(key).GetInt32();
        bool Is(string key) => options.GetProperty(key).GetBoolean();
        int[] Numbers(string key) => [.. options.GetProperty(key).GetString()!.Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
        var shape = new DiffusionUNetShape
        {
            ImageSize = Number("image_size"),
            Channels = Number("num_channels"),
            Multipliers = Numbers("channel_mult"),
            Blocks = Number("num_res_blocks"),
            AttentionSizes = Numbers("attention_resolutions"),
            Heads = Number("num_heads"),
            HeadWidth = Number("num_head_channels") is > 0 and var width ? width : null,
            SeparatesQueries = Is("use_new_attention_order"),
            ResizesInBlocks = Is("resblock_updown"),
            ScalesAndShifts = Is("use_scale_shift_norm"),
            LearnsSigma = Is("learn_sigma"),
            Condition = Facts.GetProperty("conditioning_width").GetInt32(),
        };
        var noise = NoiseSchedule.Of(NoiseKind.Linear, Number("diffusion_steps"));
        Diffusion = new GaussianDiffusion(noise, DiffusionTarget.Noise, shape.LearnsSigma);
        OfImages = new GaussianDiffusion(noise, DiffusionTarget.Image, shape.LearnsSigma);
        var o = Facts.GetProperty("optimizer");
        Objective = new Rcdm(new RcdmOptions
        {
            Pairs = new KeptPairs(
                _batches.Read("feat").DetachFromDisposeScope(), new VisionTransformer(Teachers.Shape), Size, "a recording",
                new Dictionary<string, string>()),
            Decoder = shape,
            Diffusion = Diffusion,
            Average = double.Parse(o.GetProperty("ema_rate").GetString()!, CultureInfo.InvariantCulture),
            WarmsAverage = false,
            Draw = step => (StepsOf((int)step.MicroBatch), Noise((int)step.MicroBatch)),
        });
        Load(Objective.Decoder, recording);
        var (rate, decay) = (o.GetProperty("lr").GetDouble(), o.GetProperty("weight_decay").GetDouble());
        var annealed = o.GetProperty("lr_anneal_steps").GetInt64();
        Schedules = new Schedules(new ScheduleOptions
        {
            StepsPerEpoch = 1,
            Epochs = Steps.Count,
            Steps = annealed > 0 ? annealed : null,
            Kind = annealed > 0 ? RateSchedule.Annealed : RateSchedule.Stepped,
            StartLearningRate = rate,
            LearningRate = rate,
            FinalLearningRate = annealed > 0 ? 0 : rate,
            WeightDecay = decay,
            FinalWeightDecay = decay,
        });
        var betas = o.GetProperty("betas");
        Step = new TrainingStep(Objective, Schedules, new StepSettings(
            ScalarType.Float32, new OptimizerSettings(betas[0].GetDouble(), betas[1].GetDouble(), o.GetProperty("eps").GetDouble())));
    }

    public JsonElement Facts { get; }

    public Rcdm Objective { get; }

    public GaussianDiffusion Diffusion { get; }

    /// <summary>The same weights read as a prediction of the image.</summary>
    public GaussianDiffusion OfImages { get; }

    public Schedules Schedules { get; }

    public TrainingStep Step { get; }

    public int BatchSize { get; }

    public IReadOnlyList<JsonElement> Steps => [.. Facts.GetProperty("steps").EnumerateArray()];

    public Tensor Expected(string name) => _expected.Read(name);

    public bool Has(string name) => _expected.Tensors.ContainsKey(name);

    public Tensor Sampling(string name) => _batches.Read(name);

    public int[] StepsOf(int step) => [.. Facts.GetProperty("t")[step].EnumerateArray().Select(t => t.GetInt32())];

    public Tensor Noise(int step) => _batches.Read("noise")[step];

    public Tensor Images(int step) => _batches.Read("x0").narrow(0, step * BatchSize, BatchSize);

    public Tensor Conditions(int step) => _batches.Read("feat").narrow(0, step * BatchSize, BatchSize);

    public ViewBatch Batch(int step) => new(
        new Dictionary<string, Tensor> { ["image"] = Images(step).clone().DetachFromDisposeScope() },
        [.. Enumerable.Range(step * BatchSize, BatchSize)]);

    /// <summary>Of a whole tensor, the elements that were recorded.</summary>
    public Tensor Sample(Tensor whole)
    {
        var flat = whole.detach().reshape(-1);
        var stride = (flat.shape[0] + _sampled - 1) / _sampled;
        return flat.index_select(0, arange(0, flat.shape[0], stride, int64));
    }

    /// <summary>1 where a recorded element is determined, 0 where it is rounding.</summary>
    public Tensor Determined(string name, Tensor whole)
    {
        var mask = ones_like(whole.detach()).reshape(-1);
        if (Facts.GetProperty("undetermined").TryGetProperty(name, out var ranges))
        {
            if (ranges.ValueKind == JsonValueKind.String) mask.zero_();
            else foreach (var range in ranges.EnumerateArray())
                mask.narrow(0, range[0].GetInt64(), range[1].GetInt64() - range[0].GetInt64() + 1).zero_();
        }

        return mask;
    }

    /// <summary>The network's parameters, as they are named and shaped in the recording.</summary>
    public IReadOnlyList<(string Name, long[] Shape)> Parameters =>
        [.. Facts.GetProperty("parameters").EnumerateObject().Select(p => (p.Name, p.Value.EnumerateArray().Select(n => n.GetInt64()).ToArray()))];

    public void Dispose()
    {
        Step.Dispose();
        Objective.Dispose();
        foreach (var file in (SafetensorsFile[])[_batches, _expected]) file.Dispose();
    }

    /// <summary>From the file, or by the rule that the recording's text gives.</summary>
    private void Load(DiffusionUNet network, string recording)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var folder = Path.GetDirectoryName(RecordedFolders.PathOf(recording, "expected.json"))!;
        var own = network.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        using var file = File.Exists(Path.Combine(folder, "initial.safetensors"))
            ? SafetensorsFile.Open(Path.Combine(folder, "initial.safetensors")) : null;
        var k = 0;
        foreach (var (name, shape) in Parameters) _ = own[name].copy_(file?.Read(name).to(float32) ?? ByRule(name, shape, k++));
    }

    private static Tensor ByRule(string name, long[] shape, int k)
    {
        var count = shape.Aggregate(1L, (a, b) => a * b);
        var values = new float[count];
        for (var i = 0; i < count; i++)
        {
            unchecked
            {
                var x = (uint)i + 1u + (1000003u * ((uint)k + 1u));
                x = (x ^ (x >> 16)) * 0x7feb352du;
                x = (x ^ (x >> 15)) * 0x846ca68bu;
                x ^= x >> 16;
                var u = (x / 2147483648.0) - 1;
                values[i] = (float)(shape.Length > 1 ? u * Math.Sqrt(3.0 / (count / shape[0]))
                    : name.EndsWith(".weight", StringComparison.Ordinal) ? 1 + (u / 10) : u / 10);
            }
        }

        return tensor(values, shape);
    }
}
