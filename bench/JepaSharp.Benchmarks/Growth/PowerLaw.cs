namespace JepaSharp.Benchmarks.Growth;

/// <summary>y = c x^p, fitted by least squares on logarithms.</summary>
internal static class PowerLaw
{
    /// <summary>The exponent p.</summary>
    public static double Exponent(IReadOnlyList<(double X, double Y)> points)
    {
        var logs = points.Select(p => (X: Math.Log(p.X), Y: Math.Log(p.Y))).ToList();
        double x = logs.Average(l => l.X), y = logs.Average(l => l.Y);
        return logs.Sum(l => (l.X - x) * (l.Y - y)) / logs.Sum(l => (l.X - x) * (l.X - x));
    }
}
