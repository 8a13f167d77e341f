using JepaSharp.Data;
using JepaSharp.Evaluation;

namespace JepaSharp.Reports;

/// <summary>Features as colour: the first three principal components of patch features as red, green and blue.</summary>
/// <remarks>
/// One set of axes and one scale for all images, so that the same colour means the same feature everywhere. Each component runs from its 2nd to its
/// 98th percentile; what lies outside is clipped.
/// </remarks>
internal static class FeatureColours
{
    private const double Clipped = 0.02;

    /// <summary>A picture an image, one pixel a patch.</summary>
    /// <param name="patches">[n N, D]: the patches of the first image, row by row, then those of the next.</param>
    /// <param name="gridHeight">Patches in a column.</param>
    /// <param name="gridWidth">Patches in a row.</param>
    /// <returns>The pictures, and the share of the features' variance that the three components hold.</returns>
    public static (IReadOnlyList<RgbImage> Pictures, double Share) Of(FeatureMatrix patches, int gridHeight, int gridWidth)
    {
        const int Channels = 3;
        var components = PrincipalComponents.Fit(patches, Channels);
        double[][] points = [.. Enumerable.Range(0, patches.Rows).Select(row => components.Project(patches.Row(row)))];
        var ranges = new (double Low, double High)[Channels];
        for (var c = 0; c < Channels; c++)
        {
            double[] sorted = [.. points.Select(p => p[c]).Order()];
            ranges[c] = (sorted[(int)(Clipped * (sorted.Length - 1))], sorted[(int)((1 - Clipped) * (sorted.Length - 1))]);
        }

        var perImage = gridHeight * gridWidth;
        List<RgbImage> pictures = [.. points.Chunk(perImage).Select(own =>
            new RgbImage(gridWidth, gridHeight, [.. own.SelectMany(point => point.Select((value, c) => Byte(value, ranges[c])))]))];
        return (pictures, components.TotalVariance > 0 ? components.Variances.Sum() / components.TotalVariance : 0);
    }

    private static byte Byte(double value, (double Low, double High) range) =>
        range.High > range.Low ? (byte)Math.Round(255 * Math.Clamp((value - range.Low) / (range.High - range.Low), 0, 1)) : (byte)128;
}
