namespace JepaSharp.Weights;

/// <summary>How pixels in [0, 1] were normalised before the encoder saw them: (pixel - mean) / deviation, for each channel.</summary>
/// <param name="Mean">One number for each channel.</param>
/// <param name="Deviation">One positive number for each channel.</param>
public sealed record PixelNormalization(IReadOnlyList<double> Mean, IReadOnlyList<double> Deviation)
{
    /// <summary>ImageNet's mean and deviation, with which the published models were trained.</summary>
    public static PixelNormalization ImageNet { get; } = new([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

    /// <summary>Whether the numbers can be used: as many means as deviations, all finite, deviations positive.</summary>
    internal bool IsSound => Mean.Count == Deviation.Count && Mean.Count > 0 && Mean.All(double.IsFinite) && Deviation.All(d => double.IsFinite(d) && d > 0);
}
