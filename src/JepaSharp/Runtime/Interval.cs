using System.Globalization;

namespace JepaSharp.Runtime;

/// <summary>A closed range of real numbers. In YAML: <c>[low, high]</c>.</summary>
/// <param name="Low">Smallest value.</param>
/// <param name="High">Largest value, at least <paramref name="Low"/>; equal to it for a fixed one.</param>
public readonly record struct Interval(double Low, double High)
{
    /// <summary>The value a fraction of the way from <see cref="Low"/> to <see cref="High"/>.</summary>
    /// <param name="fraction">0 to 1.</param>
    public double At(double fraction) => Low + (fraction * (High - Low));

    /// <summary>How far of the way from <see cref="Low"/> to <see cref="High"/> a value lies; 0 where the ends are equal.</summary>
    public double FractionOf(double value) => High > Low ? (value - Low) / (High - Low) : 0;

    /// <summary>Whether <paramref name="value"/> lies between the ends, both included.</summary>
    public bool Contains(double value) => value >= Low && value <= High;

    /// <summary>How far outside the range a positive <paramref name="value"/> lies, as the logarithm of a ratio; 0 inside.</summary>
    internal double LogDistance(double value)
        => value < Low ? Math.Log(Low / value) : value > High ? Math.Log(value / High) : 0;

    /// <summary>For instance <c>[0.15, 0.2]</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"[{Low}, {High}]");
}
