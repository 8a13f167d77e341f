using System.Globalization;
using JepaSharp.Monitoring;
using JepaSharp.Reports;
using JepaSharp.Training.Progress;

namespace JepaSharp.Cli.Display;

/// <summary>Remembers what was measured along a run, for the table at its end: one row a measure, untrained beside trained.</summary>
/// <remarks>A number stands only under the step at which it was measured; elsewhere there is a dash.</remarks>
/// <param name="beginning">What the encoder was before the first step: "untrained", unless it began with weights.</param>
internal sealed class MeasureHistory(string beginning = "untrained") : ITrainingObserver
{
    private static readonly (string Name, Func<MonitorReading, double> Of)[] OfReadings =
    [
        ("lidar", r => r.Lidar), ("loss", r => r.Loss), ("position_loss", r => r.PositionLoss), ("constant_loss", r => r.ConstantLoss),
    ];

    private readonly Dictionary<long, MonitorReading> _readings = [];
    private readonly List<TakenMeasures> _taken = [];
    private int _stepsPerEpoch = 1;

    /// <summary>The step of the newest measures; -1 before any.</summary>
    public long LastStep => _taken.Count == 0 ? -1 : _taken[^1].Step;

    /// <summary>What an earlier process of the run measured.</summary>
    public void Remember(IEnumerable<TakenMeasures> earlier)
    {
        foreach (var taken in earlier)
        {
            // In the file, what was measured at one step stands together.
            OnMeasures(taken.Epoch, taken.Step, taken.Values.Where(v => MonitorReading.Names(v.Key)).ToDictionary());
            OnMeasures(taken.Epoch, taken.Step, taken.Values.Where(v => !MonitorReading.Names(v.Key)).ToDictionary());
        }
    }

    public void OnStart(RunPlan plan) => _stepsPerEpoch = plan.IterationsPerEpoch;

    public void OnMeasures(int epoch, long step, IReadOnlyDictionary<string, double> measures)
    {
        if (measures.Count == 0) return;
        if (MonitorReading.From(measures) is { } reading) _readings[step] = reading;
        else if (MonitorGlance.From(measures) is null) _taken.Add(new TakenMeasures(epoch, step, measures));
    }

    /// <summary>First, one in the middle, and last measures beside one another.</summary>
    public ResultTable Table()
    {
        int[] shown = [.. new[] { 0, Middle(), _taken.Count - 1 }.Where(i => i >= 0 && i < _taken.Count).Distinct()];
        var table = new ResultTable("what the encoder knows, without having seen a label", ["measure", .. shown.Select(i => Title(_taken[i]))]);
        foreach (var name in _taken[^1].Values.Keys)
            table.Add([MeasureWords.Of(name), .. shown.Select(i => _taken[i].Values.TryGetValue(name, out var value) ? Text(name, value) : "-")]);
        if (!shown.Any(i => _readings.ContainsKey(_taken[i].Step))) return table;
        // What an objective does not have, a constant's loss say, is no row.
        bool IsKnown(Func<MonitorReading, double> of) => shown.Any(i => _readings.TryGetValue(_taken[i].Step, out var r) && !double.IsNaN(of(r)));
        foreach (var (name, of) in OfReadings.Where(row => IsKnown(row.Of)))
        {
            table.Add([MeasureWords.Of(name),
                .. shown.Select(i => _readings.TryGetValue(_taken[i].Step, out var reading) ? Text(name, of(reading)) : "-")]);
        }

        return table;
    }

    /// <summary>Nearest to the middle of those at which the monitors read too; where there are none, nearest to the middle.</summary>
    private int Middle()
    {
        var middle = _taken.Count / 2;
        int[] between = [.. Enumerable.Range(1, Math.Max(0, _taken.Count - 2)).Where(i => _readings.ContainsKey(_taken[i].Step))];
        return between.Length == 0 ? middle : between.MinBy(i => Math.Abs(i - middle));
    }

    private string Title(TakenMeasures taken) => taken.Step == 0 ? beginning : taken.Step % _stepsPerEpoch == 0
        ? string.Create(CultureInfo.InvariantCulture, $"epoch {taken.Epoch}")
        : string.Create(CultureInfo.InvariantCulture, $"step {taken.Step}");

    private static string Text(string name, double value) => MeasureWords.IsShare(name)
        ? value.ToString("P1", CultureInfo.InvariantCulture).Replace(" %", "%", StringComparison.Ordinal)
        : value.ToString(Math.Abs(value) >= 10 ? "F1" : "F3", CultureInfo.InvariantCulture);
}
