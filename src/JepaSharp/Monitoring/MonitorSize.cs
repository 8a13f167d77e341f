using JepaSharp.Models;

namespace JepaSharp.Monitoring;

/// <summary>How much the monitors look at.</summary>
/// <param name="Images">n, images whose whole features are compared.</param>
/// <param name="MaskedImages">How many of them, about, are also masked and predicted.</param>
/// <param name="Views">q, draws of masks for each of those.</param>
public sealed record MonitorSize(int Images, int MaskedImages, int Views)
{
    private const int FewestImages = 128, MostImages = 512;

    /// <summary>As many images as features, within reason: a rank is bounded by both.</summary>
    public static MonitorSize For(VisionTransformerShape encoder) => new(Math.Clamp(encoder.Width, FewestImages, MostImages), 64, 4);
}
