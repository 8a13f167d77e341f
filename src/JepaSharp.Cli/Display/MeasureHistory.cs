using System.Globalization;
using JepaSharp.Training.Progress;

namespace JepaSharp.Cli.Display;

/// <summary>Remembers what was measured along a run, for the table at its end: one row a measure, untrained beside trained.</summary>
internal sealed class MeasureHistory : ITrainingObserver
{
    private readonly List<(int Epoch, long Step, IReadOnlyDictionary<string, double> Values)> _taken = [];

    /// <summary>The step of the newest measures; -1 before any.</summary>
    public long LastStep => _taken.Count == 0 ? -1 : _taken[^1].Step;

    public void OnMeasures(int epoch, long step, IReadOnlyDictionary<string, double> measures) => _taken.Add((epoch, step, measures));

    /// <summary>First, middle and last measures beside one another.</summary>
    public ResultTable Table()
    {
        List<int> shown = [.. new[] { 0, _taken.Count / 2, _taken.Count - 1 }.Where(i => i >= 0 && i < _taken.Count).Distinct()];
        var table = new ResultTable("what the encoder knows, without having seen a label", ["measure", .. shown.Select(i => Title(_taken[i]))]);
        foreach (var name in _taken[^1].Values.Keys)
            table.Add([Words(name), .. shown.Select(i => _taken[i].Values.TryGetValue(name, out var value) ? Text(name, value) : "-")]);
        return table;
    }

    private static string Title((int Epoch, long Step, IReadOnlyDictionary<string, double> Values) taken) =>
        taken.Step == 0 ? "untrained" : string.Create(CultureInfo.InvariantCulture, $"epoch {taken.Epoch}");

    private static string Words(string name) => name switch
    {
        "rankme" => "RankMe (effective rank of features)",
        "count_accuracy" => "object count, ridge probe, right",
        "count_r2" => "object count, ridge probe, R2",
        "distance_r2" => "nearest distance, ridge probe, R2",
        "distance_mae" => "nearest distance, mean error",
        "knn_accuracy" => "test accuracy, 20 nearest neighbours",
        "ridge_accuracy" => "test accuracy, ridge probe",
        "feature_deviation" => "deviation of a feature",
        "mean_cosine" => "mean cosine between images",
        _ => name.Replace('_', ' '),
    };

    private static string Text(string name, double value) => name.EndsWith("accuracy", StringComparison.Ordinal)
        ? value.ToString("P1", CultureInfo.InvariantCulture).Replace(" %", "%", StringComparison.Ordinal)
        : value.ToString(Math.Abs(value) >= 10 ? "F1" : "F3", CultureInfo.InvariantCulture);
}
