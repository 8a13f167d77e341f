using System.Globalization;
using JepaSharp.Monitoring;
using JepaSharp.Reports;
using JepaSharp.Training.Progress;

namespace JepaSharp.Cli.Display;

/// <summary>Remembers what was measured along a run, for the table at its end: one row a measure, untrained beside trained.</summary>
internal sealed class MeasureHistory : ITrainingObserver
{
    private readonly List<(long Step, MonitorReading Reading)> _readings = [];
    private readonly List<(int Epoch, long Step, IReadOnlyDictionary<string, double> Values)> _taken = [];

    /// <summary>The step of the newest measures; -1 before any.</summary>
    public long LastStep => _taken.Count == 0 ? -1 : _taken[^1].Step;

    public void OnMeasures(int epoch, long step, IReadOnlyDictionary<string, double> measures)
    {
        if (MonitorReading.From(measures) is { } reading) _readings.Add((step, reading));
        else if (MonitorGlance.From(measures) is null) _taken.Add((epoch, step, measures));
    }

    /// <summary>First, middle and last measures beside one another.</summary>
    public ResultTable Table()
    {
        List<int> shown = [.. new[] { 0, _taken.Count / 2, _taken.Count - 1 }.Where(i => i >= 0 && i < _taken.Count).Distinct()];
        var table = new ResultTable("what the encoder knows, without having seen a label", ["measure", .. shown.Select(i => Title(_taken[i]))]);
        foreach (var name in _taken[^1].Values.Keys)
            table.Add([MeasureWords.Of(name), .. shown.Select(i => _taken[i].Values.TryGetValue(name, out var value) ? Text(name, value) : "-")]);
        if (_readings.Count == 0) return table;
        foreach (var (name, value) in new (string, Func<MonitorReading, double>)[] { ("lidar", r => r.Lidar), ("loss", r => r.Loss), ("position_loss", r => r.PositionLoss), ("constant_loss", r => r.ConstantLoss) })
            table.Add([MeasureWords.Of(name), .. shown.Select(i => Text(name, value(ReadingAt(_taken[i].Step))))]);
        return table;
    }

    /// <summary>The newest reading up to a step, or the first.</summary>
    private MonitorReading ReadingAt(long step) => _readings[Math.Max(0, _readings.FindLastIndex(taken => taken.Step <= step))].Reading;

    private static string Title((int Epoch, long Step, IReadOnlyDictionary<string, double> Values) taken) =>
        taken.Step == 0 ? "untrained" : string.Create(CultureInfo.InvariantCulture, $"epoch {taken.Epoch}");

    private static string Text(string name, double value) => MeasureWords.IsShare(name)
        ? value.ToString("P1", CultureInfo.InvariantCulture).Replace(" %", "%", StringComparison.Ordinal)
        : value.ToString(Math.Abs(value) >= 10 ? "F1" : "F3", CultureInfo.InvariantCulture);
}
