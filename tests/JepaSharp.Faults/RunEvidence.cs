namespace JepaSharp.Faults;

/// <summary>What two runs are compared by: every step's numbers, what was measured, and the last weights and moments.</summary>
internal sealed record RunEvidence(string Metrics, string Measures, byte[] Weights, byte[] Moments)
{
    private const int Step = 6;

    // Times differ from run to run: "time (ms)", "images_per_second" and "wait_ms".
    private static readonly int[] Times = [5, 11, 12];

    public static RunEvidence Of(string run)
    {
        var latest = Path.Combine(run, "checkpoints", "latest");
        var rows = File.ReadAllLines(Path.Combine(run, "metrics.csv")).Select(
            l => string.Join(',', l.Split(',').Where((_, column) => !Times.Contains(column))));
        return new RunEvidence(
            string.Join('\n', rows), File.ReadAllText(Path.Combine(run, "measures.csv")),
            File.ReadAllBytes(Path.Combine(latest, "weights.safetensors")), File.ReadAllBytes(Path.Combine(latest, "optimizer.safetensors")));
    }

    /// <summary>Steps that a run's metrics hold.</summary>
    public static long StepsOf(string run)
    {
        var path = Path.Combine(run, "metrics.csv");
        return File.Exists(path) && File.ReadLines(path).LastOrDefault() is { } last && last.Split(',') is { Length: > Step } cells
            && long.TryParse(cells[Step], out var step) ? step : 0;
    }

    /// <summary>What differs; null where nothing does.</summary>
    public string? DifferenceTo(RunEvidence other)
    {
        if (Metrics != other.Metrics) return "metrics.csv differs";
        if (Measures != other.Measures) return "measures.csv differs";
        if (!Weights.AsSpan().SequenceEqual(other.Weights)) return "the weights differ";
        return Moments.AsSpan().SequenceEqual(other.Moments) ? null : "the optimizer's moments differ";
    }
}
