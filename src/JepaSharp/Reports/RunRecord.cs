using JepaSharp.Configuration;
using JepaSharp.Monitoring;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Training.Progress;

namespace JepaSharp.Reports;

/// <summary>What a run folder's files say of the run: its configuration, steps, measures, warnings and machine.</summary>
internal sealed class RunRecord
{
    private const int ChartPoints = 250;

    private RunRecord(string folder, PretrainOptions options) => (Folder, Options) = (folder, options);

    /// <summary>Full path of the run folder.</summary>
    public string Folder { get; }

    /// <summary>The run's configuration.</summary>
    public PretrainOptions Options { get; }

    /// <summary>Steps done.</summary>
    public long Steps { get; private set; }

    /// <summary>The epoch of the last step, from 1.</summary>
    public int Epoch { get; private set; }

    /// <summary>Images that all steps saw together.</summary>
    public long Images { get; private set; }

    /// <summary>Time of all steps, the waits for data included, measures and checkpoints not.</summary>
    public TimeSpan Time { get; private set; }

    /// <summary>Floating-point operations of all steps; null where they are not counted.</summary>
    public double? Operations { get; private set; }

    /// <summary>Steps merged into at most some hundred groups, for charts.</summary>
    public IReadOnlyList<StepGroup> Groups { get; private set; } = [];

    /// <summary>Means over all steps of what the objective reported beside the loss, by name.</summary>
    public IReadOnlyDictionary<string, double> Numbers { get; private set; } = new Dictionary<string, double>();

    /// <summary>Share of the patches that the contexts of all steps had on average; null where there are no contexts.</summary>
    public double? ContextShare
    {
        get
        {
            if (Options.Meta.Objective != ImageJepa.ShortName || !Numbers.TryGetValue(ImageJepa.ContextPatches, out var patches)) return null;
            var side = Options.Data.CropSize / Options.Mask.PatchSize;
            return patches / (side * side);
        }
    }

    /// <summary>Readings of the monitors by step.</summary>
    public IReadOnlyList<(long Step, MonitorReading Reading)> Readings { get; private set; } = [];

    /// <summary>Measures of the encoder by step, those of the monitors left out.</summary>
    public IReadOnlyList<TakenMeasures> Measures { get; private set; } = [];

    /// <summary>Lines of warnings.txt.</summary>
    public IReadOnlyList<string> Warnings { get; private set; } = [];

    /// <summary>Where it ran; null where nothing was written about it.</summary>
    public RunMachine? Machine { get; private set; }

    /// <summary>Reads a run folder, which another process may be writing.</summary>
    /// <exception cref="JepaException">It holds no run, or its configuration cannot be read.</exception>
    public static RunRecord Read(string folder)
    {
        var full = Path.GetFullPath(folder);
        string In(string name) => Path.Combine(full, name);
        if (!File.Exists(In("config.yaml")))
            throw new JepaException(
                $"There is no run in {full}: {(Directory.Exists(full) ? "it holds no config.yaml" : "it does not exist")}. Give the folder of a run "
                    + $"of jepa pretrain.", isUsage: true);
        var record = new RunRecord(full, PretrainOptions.Load(In("config.yaml")));
        record.ReadSteps(In("metrics.csv"));
        record.Numbers = MetricsCsv.MeansOfNumbers(In("metrics.csv"));
        var taken = MeasuresCsv.Read(In("measures.csv"));
        record.Readings = [.. taken.Select(t => (t.Step, Reading: MonitorReading.From(t.Values)!)).Where(t => t.Reading is not null)];
        record.Measures = [.. taken.Select(t => t with { Values = t.Values.Where(v => !MonitorReading.Names(v.Key)).ToDictionary() }).Where(
            t => t.Values.Count > 0)];
        record.Warnings = WarningsFile.Read(In("warnings.txt"));
        record.Machine = RunMachine.Read(In(RunMachine.FileName));
        return record;
    }

    private void ReadSteps(string metrics)
    {
        List<StepRow> rows = [.. MetricsCsv.Read(metrics)];
        if (rows.Count == 0) return;
        (Steps, Epoch) = (rows[^1].Step, rows[^1].Epoch);
        (_, Images, Time, Operations) = RunCost.Of(rows);
        var size = Math.Max(1, (rows.Count + ChartPoints - 1) / ChartPoints);
        Groups = [.. rows.Chunk(size).Select(StepGroup.Of)];
    }
}

/// <summary>Neighbouring steps taken together.</summary>
/// <param name="Step">The last of them.</param>
/// <param name="Loss">Their mean loss.</param>
/// <param name="LowestLoss">The lowest loss.</param>
/// <param name="HighestLoss">The highest loss.</param>
/// <param name="LearningRate">Mean learning rate.</param>
/// <param name="WeightDecay">Mean weight decay.</param>
/// <param name="Momentum">Mean momentum.</param>
/// <param name="ImagesPerSecond">Images over time, the wait for data included.</param>
internal sealed record StepGroup(
    long Step, double Loss, double LowestLoss, double HighestLoss, double LearningRate, double WeightDecay, double Momentum, double ImagesPerSecond)
{
    public static StepGroup Of(StepRow[] rows) => new(
        rows[^1].Step, rows.Average(r => r.Loss), rows.Min(r => r.Loss), rows.Max(r => r.Loss), rows.Average(r => r.LearningRate),
        rows.Average(r => r.WeightDecay),
        rows.Average(r => r.Momentum), rows.Sum(r => r.Images) / Math.Max(1e-9, rows.Sum(r => (r.StepTime + r.DataWait).TotalSeconds)));
}
