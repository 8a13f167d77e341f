using JepaSharp.Objectives;
using JepaSharp.Reports;
using JepaSharp.Training.Progress;

namespace JepaSharp.Tests.Training;

/// <summary>A run whose contexts are cut in groups is asked the same, however its steps are cut into micro-batches.</summary>
public sealed class MaskGroupRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Steps_OfSmallerBatches_AreAskedTheSame()
    {
        var (whole, halves, quarters) = (Train(batch: 8, accumulate: 1), Train(4, 2), Train(2, 4));
        Assert.Equal(24, whole.Contexts.Length);
        Assert.Equal(whole.Contexts, halves.Contexts);
        Assert.Equal(whole.Contexts, quarters.Contexts);
        Assert.True(whole.Contexts.Distinct().Count() > 1);
        // The very same patches: the losses agree up to rounding.
        Assert.All(whole.Losses.Zip(quarters.Losses), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
    }

    [Fact]
    public void Share_OfARun_IsRecordedAndForeseen()
    {
        var run = Train(4, 2);
        var record = RunRecord.Read(run.Path);
        Assert.Equal(run.Contexts.Average() / 16, record.ContextShare!.Value, 1e-9);
        var plan = new JepaSharp.Training.PretrainPlan(record.Options);
        var survey = MaskSurvey.Of(plan.ImageJepa.Masks, 0, 4);
        Assert.InRange(survey.Context, record.ContextShare.Value - 0.06, record.ContextShare.Value + 0.06);
        Assert.Contains("of 4x4 patches", survey.ToString(), StringComparison.Ordinal);
    }

    private (string Path, double[] Contexts, double[] Losses) Train(int batch, int accumulate)
    {
        var path = _folder[$"run-{batch}-{accumulate}"];
        var options = Monitoring.TinyRun.Options;
        Monitoring.TinyRun.Train(
            path,
            options with
            {
                Data = options.Data with { BatchSize = batch },
                Mask = options.Mask with { ImagesPerLength = 8 },
                Optimization = options.Optimization with { Accumulate = accumulate },
            },
            monitorEvery: null);
        string[][] rows = [.. File.ReadLines(Path.Combine(path, "metrics.csv")).Select(line => line.Split(','))];
        double[] Column(string name) =>
            [.. rows.Skip(1).Select(r => double.Parse(r[Array.IndexOf(rows[0], name)], System.Globalization.CultureInfo.InvariantCulture))];
        Assert.Equal(MetricsCsv.MeansOfNumbers(Path.Combine(path, "metrics.csv"))[ImageJepa.ContextPatches], Column("mask-A").Average(), 1e-9);
        return (path, Column("mask-A"), Column("loss"));
    }
}
