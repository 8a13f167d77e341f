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
