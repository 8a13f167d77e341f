using JepaSharp.Objectives;

namespace JepaSharp.Monitoring;

/// <summary>How often the monitors may look, so that they take a small, known share of the arithmetic of a run.</summary>
/// <remarks>
/// Counted, not timed, so that the same configuration is monitored at the same steps on every machine: see <see cref="ObjectiveCost"/>.
/// </remarks>
public static class MonitorInterval
{
    /// <summary>The share that <see cref="For"/> aims at.</summary>
    public const double Share = 0.004;

    /// <summary>The share that <see cref="ForGlances"/> aims at.</summary>
    public const double ShareOfGlances = 0.002;

    private const int Shortest = 20;

    /// <summary>Steps between readings.</summary>
    /// <param name="cost">What a step and a look cost, for an image.</param>
    /// <param name="size">What a reading looks at.</param>
    /// <param name="imagesPerStep">B, images in a step.</param>
    public static int For(ObjectiveCost cost, MonitorSize size, int imagesPerStep)
    {
        var reading = (size.Images * cost.Whole) + (size.MaskedImages * ((size.Views * cost.Part) + cost.Measure));
        return Rounded(Math.Max(Shortest, reading / (Share * imagesPerStep * cost.Step)));
    }

    /// <summary>Steps between glances.</summary>
    /// <param name="cost">What a step and a look cost, for an image.</param>
    /// <param name="images">Images that a glance looks at.</param>
    /// <param name="imagesPerStep">B, images in a step.</param>
    public static int ForGlances(ObjectiveCost cost, int images, int imagesPerStep) =>
        Rounded(Math.Max(Shortest, images * cost.Whole / (ShareOfGlances * imagesPerStep * cost.Step)));

    /// <summary>Up to the next 10, or 100 from 1,000 on: a number to remember.</summary>
    private static int Rounded(double steps)
    {
        var unit = steps >= 1000 ? 100 : 10;
        return (int)Math.Ceiling(steps / unit) * unit;
    }
}
