using System.Globalization;

namespace JepaSharp.Reports;

/// <summary>Maps values onto an axis of a chart, linearly or by their logarithm, and says where its ticks are.</summary>
internal sealed class AxisScale
{
    private static readonly double[] Mantissas = [1, 2, 5];

    private readonly double _low, _high;

    private AxisScale(double low, double high, bool logarithmic, IReadOnlyList<double> ticks) =>
        (_low, _high, IsLogarithmic, Ticks) = (low, high, logarithmic, ticks);

    /// <summary>Whether equal ratios take equal room.</summary>
    public bool IsLogarithmic { get; }

    /// <summary>Values to label, ascending, all on the axis.</summary>
    public IReadOnlyList<double> Ticks { get; }

    /// <summary>An axis from the tick below the lowest value to the tick above the highest.</summary>
    public static AxisScale Linear(double low, double high, int ticks = 4)
    {
        if (high <= low) (low, high) = (low - Math.Max(Math.Abs(low) / 2, 1e-6), high + Math.Max(Math.Abs(high) / 2, 1e-6));
        var step = NiceStep((high - low) / ticks);
        var (first, last) = (Math.Floor((low / step) + 1e-9), Math.Ceiling((high / step) - 1e-9));
        return new AxisScale(first * step, last * step, false, [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => (first + i) * step)]);
    }

    /// <summary>An axis that begins and ends at the given values, with round ticks between: for steps.</summary>
    public static AxisScale Exact(double low, double high, int ticks = 5)
    {
        if (high <= low) high = low + 1;
        var step = Math.Max(1, NiceStep((high - low) / ticks));
        var first = Math.Ceiling(low / step);
        return new AxisScale(low, high, false, [.. Enumerable.Range(0, (int)(Math.Floor(high / step) - first) + 1).Select(i => (first + i) * step)]);
    }

    /// <summary>A logarithmic axis over positive values, with ticks at 1, 2 and 5 times powers of ten.</summary>
    public static AxisScale Logarithmic(double low, double high)
    {
        static IEnumerable<double> Candidates() => Enumerable.Range(-12, 24).SelectMany(power => Mantissas.Select(m => m * Math.Pow(10, power)));
        var floor = Candidates().Last(tick => tick <= low * (1 + 1e-9));
        var ceiling = Candidates().First(tick => tick >= high * (1 - 1e-9) && tick > floor);
        double[] ticks = [.. Candidates().Where(tick => tick >= floor && tick <= ceiling)];
        if (ticks.Length > 7) ticks = [.. ticks.Where(tick => tick.ToString("E0", CultureInfo.InvariantCulture)[0] == '1')];
        return new AxisScale(Math.Log(floor), Math.Log(ceiling), true, ticks);
    }

    /// <summary>0 at the low end of the axis, 1 at the high end.</summary>
    public double Position(double value) => ((IsLogarithmic ? Math.Log(value) : value) - _low) / (_high - _low);

    /// <summary>A tick of this axis as text: with as many decimals as tell it from its neighbours.</summary>
    public string LabelOf(double tick)
    {
        if (IsLogarithmic || Ticks.Count < 2) return Label(tick);
        const int UsualDecimals = 4, MostDecimals = 8;
        var decimals = (int)Math.Ceiling(-Math.Log10(Ticks[1] - Ticks[0]) - 1e-9);
        var largest = Ticks.Max(Math.Abs);
        return decimals is <= UsualDecimals or > MostDecimals || largest is < 1e-3 or >= 1000
            ? Label(tick)
            : Math.Abs(tick) < 1e-12 ? "0" : tick.ToString("0." + new string('#', decimals), CultureInfo.InvariantCulture);
    }

    /// <summary>A tick as text, no longer than it need be.</summary>
    public static string Label(double tick)
    {
        var size = Math.Abs(tick);
        if (size < 1e-12) return "0";
        if (size >= 1e6) return (tick / 1e6).ToString("0.##", CultureInfo.InvariantCulture) + "M";
        if (size >= 1e4) return (tick / 1e3).ToString("0.##", CultureInfo.InvariantCulture) + "k";
        return size < 1e-3 ? tick.ToString("0.##e0", CultureInfo.InvariantCulture) : tick.ToString(
            size >= 1000 ? "#,0" : "0.####", CultureInfo.InvariantCulture);
    }

    /// <summary>1, 2 or 5 times a power of ten, not below <paramref name="step"/>.</summary>
    private static double NiceStep(double step)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(step)));
        return Mantissas.Append(10).First(m => m * power >= step * (1 - 1e-9)) * power;
    }
}
