namespace JepaSharp.Monitoring;

/// <summary>A complete checkpoint of a run.</summary>
/// <param name="Name">Name of its folder: epoch-0005, latest.</param>
/// <param name="Path">Full path of its folder.</param>
/// <param name="Epoch">Epochs finished.</param>
/// <param name="Step">Steps done.</param>
public sealed record KeptCheckpoint(string Name, string Path, int Epoch, long Step);

/// <summary>A kept checkpoint and what was measured of it.</summary>
/// <param name="Name">Name of its folder: epoch-0005, latest.</param>
/// <param name="Path">Full path of its folder.</param>
/// <param name="Epoch">Epochs finished.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Reading">Label-free measures, on the same images and masks for every checkpoint.</param>
/// <param name="Probe">Scores of probes, by name; empty where there are no labels.</param>
public sealed record MeasuredCheckpoint(string Name, string Path, int Epoch, long Step, MonitorReading Reading, IReadOnlyDictionary<string, double> Probe)
{
    /// <summary>Mean of the probes' scores, accuracies as shares; null without labels.</summary>
    public double? ProbeScore => Scores is { Count: > 0 } scores ? scores.Average() : null;

    /// <summary>Whether the features are of use at all: see <see cref="CollapseWatch"/>.</summary>
    public bool IsCollapsed => CollapseWatch.IsCollapsed(Reading);

    private List<double> Scores => [.. Probe
        .Where(p => (p.Key.EndsWith("accuracy", StringComparison.Ordinal) && p.Key != "count_accuracy") || p.Key.EndsWith("_r2", StringComparison.Ordinal))
        .Select(p => p.Value).Where(double.IsFinite)];
}
