using System.Text.Json;
using JepaSharp.Configuration;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Models;
using JepaSharp.Optimization;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Parity;

/// <summary>MAE's linear probe against steps recorded from the published program (float32, CPU).</summary>
public sealed class RecordedLinearProbeTests(ITestOutputHelper output)
{
    public static IEnumerable<TheoryDataRow<string>> Runs => RecordedFolders.Of(["mae"], "linear_probe.json");

    [Theory]
    [MemberData(nameof(Runs))]
    public void Head_OverTheRecordedSteps_IsTheRecordedOne(string run)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var facts = JsonDocument.Parse(File.ReadAllBytes(RecordedFolders.PathOf(run, "linear_probe.json"))).RootElement;
        double Number(string key) => facts.GetProperty(key).GetDouble();
        using var recorded = SafetensorsFile.Open(RecordedFolders.PathOf(run, "linear_probe.safetensors"));
        using var batches = SafetensorsFile.Open(RecordedFolders.PathOf(run, "batches.safetensors"));
        using var encoder = FinalEncoder(run);
        Tensor Features(int step) => new EncoderOutput().Of(encoder, batches.Read($"images.{step}"));
        var schedules = new Schedules(new ScheduleOptions
        {
            StepsPerEpoch = (long)Number("iterations_per_epoch"),
            Epochs = Number("epochs"),
            WarmupEpochs = Number("warmup_epochs"),
            StartLearningRate = 0,
            LearningRate = Number("peak_learning_rate"),
            FinalLearningRate = 0,
            Kind = RateSchedule.Fractional,
        });
        var options = new LarsOptions { Momentum = Number("momentum"), Trust = Number("trust_coefficient") };
        using var head = new LarsHead(recorded.Read("initial.weight"), recorded.Read("initial.bias"), options);
        var worst = 0.0;
        foreach (var (step, expected) in facts.GetProperty("steps").EnumerateArray().Index())
        {
            var rate = schedules.LearningRate(step + 1);
            Assert.Equal(expected.GetProperty("learning_rate").GetDouble(), rate, 1e-12);
            var (logits, loss) = head.Step(Features(step), recorded.Read($"labels.{step}"), rate);
            worst = Math.Max(worst, Math.Abs(loss - expected.GetProperty("loss").GetDouble()));
            if (step == 0) Close("logits", logits);
        }

        Assert.True(worst < 1e-5, $"a loss differs by {worst}");
        Close("final.weight", head.Weights);
        Close("final.bias", head.Bias);
        Close("final.running_mean", head.Mean);
        Close("final.running_var", head.Variance);
        var evaluated = head.Readout().Apply(FeatureMatrix.FromTensor(Features(0)));
        Close("evaluation_logits", tensor(evaluated, recorded.Tensors["evaluation_logits"].Shape.ToArray()));
        output.WriteLine($"largest difference of a loss {worst:g3}");

        void Close(string what, Tensor actual)
        {
            var (absolute, _) = RecordedRun.Difference(actual, recorded.Read(what));
            output.WriteLine($"{what}: largest absolute difference {absolute:g3}");
            Assert.True(absolute < 1e-5, $"{what} differs by {absolute}");
        }
    }

    /// <summary>Classes that lie apart are told apart, and another seed is another head.</summary>
    [Fact]
    public void Fit_OfClassesApart_TellsThemApart()
    {
        var clouds = JepaSharp.Tests.Evaluation.Synthetic.Clouds(400, 12, 5, 4, seed: 3);
        var (fit, test) = (clouds.Select([.. Enumerable.Range(0, 300)]), clouds.Select([.. Enumerable.Range(300, 100)]));
        var options = new LarsOptions { BatchSize = 64, LearningRate = 4 };
        var model = LarsProbe.Fit(fit, options);
        Assert.True(model.Score(test).Accuracy > 0.9);
        Assert.Equal(model.Readout.Weights, LarsProbe.Fit(fit, options).Readout.Weights);
        Assert.NotEqual(model.Readout.Weights, LarsProbe.Fit(fit, options with { Seed = 1 }).Readout.Weights);
    }

    private static VisionTransformer FinalEncoder(string run)
    {
        using var weights = PretrainedWeights.Open(
            RecordedFolders.PathOf(run, "encoder.pth"), RecordedFolders.FactsOf(run).GetProperty("num_heads").GetInt32());
        return PretrainedNetworks.LoadEncoder(weights);
    }
}
