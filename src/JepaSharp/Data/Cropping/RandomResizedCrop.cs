using JepaSharp.Runtime;

namespace JepaSharp.Data.Cropping;

/// <summary>Draws the box of a random resized crop, in the distribution of torchvision's transform of that name.</summary>
/// <remarks>
/// Area as a share of the image's is uniform in [<see cref="MinScale"/>, <see cref="MaxScale"/>], the logarithm of width over height uniform between
/// those of <see cref="MinAspect"/> and <see cref="MaxAspect"/>; drawn anew, up to ten times, until the box fits, then placed uniformly. After ten
/// failures: the largest centred box whose aspect ratio is in range. Source: Szegedy et al., "Going deeper with convolutions", 2015, section 6.
/// </remarks>
public sealed record RandomResizedCrop
{
    private const int Attempts = 10;

    /// <summary>Smallest share of the image's area. I-JEPA pretrains with 0.3.</summary>
    public double MinScale { get; init; } = 0.3;

    /// <summary>Largest share of the image's area.</summary>
    public double MaxScale { get; init; } = 1.0;

    /// <summary>Smallest width over height.</summary>
    public double MinAspect { get; init; } = 3.0 / 4.0;

    /// <summary>Largest width over height.</summary>
    public double MaxAspect { get; init; } = 4.0 / 3.0;

    /// <summary>Draws a box.</summary>
    /// <param name="width">W of the image in pixels.</param>
    /// <param name="height">H of the image in pixels.</param>
    /// <param name="random">The stream to draw from.</param>
    public PixelBox Draw(int width, int height, ref RandomStream random)
    {
        var area = (double)width * height;
        var (logLow, logHigh) = (Math.Log(MinAspect), Math.Log(MaxAspect));
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var target = area * random.NextDouble(MinScale, MaxScale);
            var aspect = Math.Exp(random.NextDouble(logLow, logHigh));
            var w = (int)Math.Round(Math.Sqrt(target * aspect));
            var h = (int)Math.Round(Math.Sqrt(target / aspect));
            if (w <= 0 || w > width || h <= 0 || h > height) continue;
            var top = random.NextInt(height - h + 1);
            return new PixelBox(random.NextInt(width - w + 1), top, w, h);
        }

        return LargestCentered(width, height);
    }

    private PixelBox LargestCentered(int width, int height)
    {
        var aspect = (double)width / height;
        var (w, h) = (width, height);
        if (aspect < MinAspect) h = Math.Clamp((int)Math.Round(width / MinAspect), 1, height);
        else if (aspect > MaxAspect) w = Math.Clamp((int)Math.Round(height * MaxAspect), 1, width);
        return new PixelBox((width - w) / 2, (height - h) / 2, w, h);
    }
}
