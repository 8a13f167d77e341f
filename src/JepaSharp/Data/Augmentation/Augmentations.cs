using JepaSharp.Runtime;

namespace JepaSharp.Data.Augmentation;

/// <summary>What is done to a crop at random, in this order: mirror, colour, grey, blur, solarise, each by a chance of its own.</summary>
/// <remarks>
/// The order of SimCLR's, BYOL's and DINO's transforms (Chen et al., 2020; Grill et al., 2020; Caron et al., 2021). A mirror at the end, as others
/// have it, is the same: no other change knows left from right. I-JEPA itself uses none of it (paper, section 1).
/// </remarks>
public sealed record Augmentations
{
    /// <summary>Chance of mirroring left and right.</summary>
    public double Flip { get; init; }

    /// <summary>How colours change; null for not at all.</summary>
    public ColorJitter? Jitter { get; init; }

    /// <summary>Chance of changing colours, where there is a <see cref="Jitter"/>.</summary>
    public double JitterChance { get; init; } = 0.8;

    /// <summary>Chance of turning grey.</summary>
    public double Gray { get; init; }

    /// <summary>Chance of blurring.</summary>
    public double Blur { get; init; }

    /// <summary>The blur's deviation in pixels is uniform in it.</summary>
    public Interval BlurDeviation { get; init; } = new(0.1, 2.0);

    /// <summary>Chance of inverting what is bright.</summary>
    public double Solarize { get; init; }

    /// <summary>From which value on it is inverted, 0 to 256.</summary>
    public int SolarizeThreshold { get; init; } = 128;

    /// <summary>Changes a square crop in place.</summary>
    /// <param name="pixels">uint8 [side, side, 3].</param>
    /// <param name="side">Its height and width.</param>
    /// <param name="random">The crop's own stream. A change without a chance draws nothing.</param>
    public void Apply(Span<byte> pixels, int side, ref RandomStream random)
    {
        if (Happens(Flip, ref random)) PixelOperations.Mirror(pixels, side);
        if (Jitter is not null && Happens(JitterChance, ref random)) Jitter.Apply(pixels, ref random);
        if (Happens(Gray, ref random)) PixelOperations.Gray(pixels);
        if (Happens(Blur, ref random)) GaussianBlur.Apply(pixels, side, side, random.NextDouble(BlurDeviation.Low, BlurDeviation.High));
        if (Happens(Solarize, ref random)) PixelOperations.Solarize(pixels, SolarizeThreshold);
    }

    private static bool Happens(double chance, ref RandomStream random) => chance > 0 && random.NextDouble() < chance;
}

/// <summary>Random brightness, contrast, saturation and hue, in random order.</summary>
/// <param name="Brightness">The factor is uniform within 1 +- this, not below 0.</param>
/// <param name="Contrast">As for brightness.</param>
/// <param name="Saturation">As for brightness.</param>
/// <param name="Hue">Turns are uniform within +- this, at most 0.5.</param>
public sealed record ColorJitter(double Brightness, double Contrast, double Saturation, double Hue)
{
    /// <summary>SimCLR's colours of a strength s: factors within 1 +- 0.8 s, turns within 0.2 s (Chen et al., 2020, appendix A).</summary>
    /// <param name="strength">s, 0 or more.</param>
    public static ColorJitter OfStrength(double strength) => new(0.8 * strength, 0.8 * strength, 0.8 * strength, 0.2 * strength);

    /// <summary>Changes an image in place.</summary>
    /// <param name="pixels">uint8 [H, W, 3].</param>
    /// <param name="random">The image's own stream.</param>
    public void Apply(Span<byte> pixels, ref RandomStream random)
    {
        Span<int> order = [0, 1, 2, 3];
        random.Shuffle(order);
        foreach (var step in order)
        {
            switch (step)
            {
                case 0:
                    PixelOperations.Brightness(pixels, Factor(Brightness, ref random));
                    break;
                case 1:
                    PixelOperations.Contrast(pixels, Factor(Contrast, ref random));
                    break;
                case 2:
                    PixelOperations.Saturation(pixels, Factor(Saturation, ref random));
                    break;
                default:
                    HueShift.Apply(pixels, random.NextDouble(-Hue, Hue));
                    break;
            }
        }
    }

    private static double Factor(double range, ref RandomStream random) => random.NextDouble(Math.Max(0, 1 - range), 1 + range);
}
