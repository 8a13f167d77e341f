using System.Globalization;

namespace JepaSharp.Configuration;

/// <summary>First and last momentum of an exponential moving average, linear between. In YAML: <c>[start, end]</c>.</summary>
/// <param name="Start">At the first step.</param>
/// <param name="End">At the last step.</param>
public readonly record struct MomentumRange(double Start, double End)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"[{Start}, {End}]");
}

/// <summary>A chance for the first of several, and one for each of the others. In YAML: <c>[first, others]</c>.</summary>
/// <param name="First">For the first.</param>
/// <param name="Others">For each of the others.</param>
public readonly record struct ChancePair(double First, double Others)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"[{First}, {Others}]");
}

/// <summary>One number for each colour channel. In YAML: <c>[red, green, blue]</c>.</summary>
/// <param name="Red">For the red channel.</param>
/// <param name="Green">For the green channel.</param>
/// <param name="Blue">For the blue channel.</param>
public readonly record struct ChannelTriple(double Red, double Green, double Blue)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"[{Red}, {Green}, {Blue}]");
}
