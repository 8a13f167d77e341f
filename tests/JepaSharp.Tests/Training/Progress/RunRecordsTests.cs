using JepaSharp.Configuration;
using JepaSharp.Training;
using JepaSharp.Training.Progress;

namespace JepaSharp.Tests.Training.Progress;

public sealed class RunRecordsTests
{
    [Fact]
    public void Records_OfARunStoppedAndResumed_HoldEveryStepOnce()
    {
        using var parent = new TemporaryFolder();
        var path = parent["run"];
        using (var folder = RunFolder.Create(path))
        {
            File.WriteAllText(folder.Config, "");
            using var records = new TrainingObservers(RunRecords.Create(folder, new LoggingOptions(), Steps.Numbers));
            for (var step = 1; step <= 15; step++) records.OnStep(Steps.Number(step));
            records.OnMeasures(1, 10, new Dictionary<string, double> { ["rankme"] = 3 });
            records.OnMeasures(1, 15, new Dictionary<string, double> { ["rankme"] = 4 });
        }

        using (var folder = RunFolder.Resume(path))
        {
            using var records = new TrainingObservers(RunRecords.Resume(folder, new LoggingOptions(), Steps.Numbers, 12));
            for (var step = 13; step <= 20; step++) records.OnStep(Steps.Number(step));
            records.OnEnd(new RunEnd(RunOutcome.Completed, 20, TimeSpan.FromSeconds(1)));
        }

        var steps = File.ReadAllLines(Path.Combine(path, "metrics.csv")).Skip(1).Select(l => int.Parse(l.Split(',')[6]));
        Assert.Equal(Enumerable.Range(1, 20), steps);
        Assert.Equal(2, File.ReadAllLines(Path.Combine(path, "measures.csv")).Length);
        Assert.Equal(2, Directory.GetFiles(path, "events.out.tfevents.*").Length);
    }
}
