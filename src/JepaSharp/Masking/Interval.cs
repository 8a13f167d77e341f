namespace JepaSharp.Masking;

/// <summary>A closed range of real numbers.</summary>
/// <param name="Low">Smallest value.</param>
/// <param name="High">Largest value, at least <paramref name="Low"/>.</param>
public readonly record struct Interval(double Low, double High)
{
    /// <summary>The value a fraction of the way from <see cref="Low"/> to <see cref="High"/>.</summary>
    /// <param name="fraction">0 to 1.</param>
    public double At(double fraction) => Low + (fraction * (High - Low));

    /// <summary>How far outside the range a positive <paramref name="value"/> lies, as the logarithm of a ratio; 0 inside.</summary>
    internal double LogDistance(double value)
        => value < Low ? Math.Log(Low / value) : value > High ? Math.Log(value / High) : 0;

    /// <summary>For instance <c>[0.15, 0.2]</c>.</summary>
    public override string ToString() => $"[{Low}, {High}]";
}
