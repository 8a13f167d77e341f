using System.Text.Json;
using JepaSharp.Configuration;
using JepaSharp.Optimization;

namespace JepaSharp.Tests.Optimization;

public sealed class SchedulesTests
{
    public static TheoryData<int> Recorded => [.. Enumerable.Range(0, Fixtures.ReferenceNumbers.GetProperty("schedules").GetArrayLength())];

    [Theory]
    [MemberData(nameof(Recorded))]
    [Trait(RecordedFolders.Trait, "reference_numbers")]
    public void Schedules_AtRecordedSteps_GiveRecordedNumbers(int which)
    {
        var recorded = Fixtures.ReferenceNumbers.GetProperty("schedules")[which];
        double Number(string key) => recorded.GetProperty(key).GetDouble();
        var schedules = new Schedules(new ScheduleOptions
        {
            StepsPerEpoch = (long)Number("iterations_per_epoch"),
            Epochs = Number("epochs"),
            WarmupEpochs = Number("warmup_epochs"),
            StartLearningRate = Number("start_lr"),
            LearningRate = Number("lr"),
            FinalLearningRate = Number("final_lr"),
            WeightDecay = Number("weight_decay"),
            FinalWeightDecay = Number("final_weight_decay"),
            StartMomentum = recorded.GetProperty("ema")[0].GetDouble(),
            FinalMomentum = recorded.GetProperty("ema")[1].GetDouble(),
            Stretch = Number("ipe_scale"),
        });
        foreach (var point in recorded.GetProperty("steps").EnumerateObject())
        {
            var step = long.Parse(point.Name);
            Assert.Equal(point.Value[0].GetDouble(), schedules.LearningRate(step), 1e-12);
            Assert.Equal(point.Value[1].GetDouble(), schedules.WeightDecay(step), 1e-12);
            Assert.Equal(point.Value[2].GetDouble(), schedules.Momentum(step), 1e-10);
        }
    }

    public static IEnumerable<TheoryDataRow<string>> Tables => RecordedFolders.Of(["dino", "ibot", "data2vec"]);

    /// <summary>Rates of what is counted in tables: every step's of runs of which the whole tables were recorded.</summary>
    [Theory]
    [MemberData(nameof(Tables))]
    public void Tabled_OverARecordedRun_GivesRecordedTables(string run)
    {
        var recorded = RecordedFolders.FactsOf(run);
        var options = recorded.GetProperty("options");
        double Number(string key) => options.GetProperty(key).GetDouble();
        var peak = recorded.TryGetProperty("peak_learning_rate", out var scaled) ? scaled.GetDouble() : Number("lr");
        var end = options.GetProperty("weight_decay_end") is { ValueKind: JsonValueKind.Number } final ? final.GetDouble() : Number("weight_decay");
        var schedules = new Schedules(new ScheduleOptions
        {
            Kind = RateSchedule.Tabled,
            StepsPerEpoch = recorded.GetProperty("iterations_per_epoch").GetInt64(),
            Epochs = Number("epochs"),
            WarmupEpochs = Number("warmup_epochs"),
            StartLearningRate = 0,
            LearningRate = peak,
            FinalLearningRate = Number("min_lr"),
            WeightDecay = Number("weight_decay"),
            FinalWeightDecay = end,
            StartMomentum = options.TryGetProperty("momentum_teacher", out var momentum) ? momentum.GetDouble() : 0,
        });
        var tables = recorded.GetProperty("schedules");
        var hasPhases = options.TryGetProperty("tri_phase_schedule", out var phases) && phases.ValueKind == JsonValueKind.String;
        if (!hasPhases) Is("learning_rate", schedules.LearningRate);
        Is("weight_decay", schedules.WeightDecay);
        if (tables.TryGetProperty("ema_momentum", out _)) Is("ema_momentum", schedules.Momentum);

        void Is(string name, Func<long, double> of)
        {
            var values = tables.GetProperty(name).EnumerateArray().Select(v => v.GetDouble()).ToArray();
            Assert.NotEmpty(values);
            for (var i = 0; i < values.Length; i++) Assert.Equal(values[i], of(i + 1), 1e-12);
        }
    }

    [Fact]
    public void Schedules_OverSteps_AreThoseOfEpochsOfAsMany()
    {
        var epochs = new Schedules(new ScheduleOptions { StepsPerEpoch = 7, Epochs = 3, WarmupEpochs = 1, Stretch = 1.25 });
        var steps = new Schedules(new ScheduleOptions { StepsPerEpoch = 7, Epochs = 99, WarmupEpochs = 1, Stretch = 1.25, Steps = 21 });
        for (var step = 1; step <= 21; step++)
        {
            Assert.Equal(epochs.LearningRate(step), steps.LearningRate(step));
            Assert.Equal(epochs.WeightDecay(step), steps.WeightDecay(step));
            Assert.Equal(epochs.Momentum(step), steps.Momentum(step));
        }
    }
}
