using JepaSharp.Runtime;

namespace JepaSharp.Cli.Display;

/// <summary>Where the time of training went, as a table.</summary>
internal static class TimeProfile
{
    /// <summary>Prints each part's seconds and share of the whole, and what no part accounts for.</summary>
    public static void Print(PhaseClock clock, TimeSpan whole, Terminal terminal)
    {
        var parts = clock.Totals;
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(FormattableString.Invariant($"where {whole.TotalSeconds:F1} s of training went"));
        foreach (var (phase, total) in parts.OrderByDescending(p => p.Total)) Line(phase, total);
        Line("everything else", whole - parts.Aggregate(TimeSpan.Zero, (sum, part) => sum + part.Total));

        void Line(string name, TimeSpan time) =>
            terminal.Out.WriteLine(FormattableString.Invariant($"  {name,-28} {time.TotalSeconds,9:F2} s  {100 * time / whole,5:F1} %"));
    }
}
