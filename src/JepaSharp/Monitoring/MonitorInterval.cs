using JepaSharp.Masking;
using JepaSharp.Models;

namespace JepaSharp.Monitoring;

/// <summary>How often the monitors may look, so that they take a small, known share of the arithmetic of a run.</summary>
/// <remarks>
/// Counted, not timed, so that the same configuration is monitored at the same steps on every machine: multiplications of a transformer over
/// t tokens are depth (2 ratio + 4) width^2 t + 2 depth width t^2, with ratio = mlp / width; a backward pass costs two forward passes.
/// </remarks>
public static class MonitorInterval
{
    /// <summary>The share that <see cref="For"/> aims at.</summary>
    public const double Share = 0.004;

    /// <summary>The share that <see cref="ForGlances"/> aims at.</summary>
    public const double ShareOfGlances = 0.002;

    private const int Shortest = 20;

    /// <summary>Steps between readings.</summary>
    /// <param name="encoder">Shape of both encoders.</param>
    /// <param name="predictor">Shape of the predictor.</param>
    /// <param name="masks">Masks of the size that training draws.</param>
    /// <param name="size">What a reading looks at.</param>
    /// <param name="imagesPerStep">B, images in a step.</param>
    public static int For(VisionTransformerShape encoder, PredictorShape predictor, MaskBatch masks, MonitorSize size, int imagesPerStep)
    {
        var (whole, context, prediction, step) = WorkOf(encoder, predictor, masks, imagesPerStep);
        var reading = (size.Images * whole) + (size.MaskedImages * ((size.Views * context) + prediction));
        return Rounded(Math.Max(Shortest, reading / (Share * step)));
    }

    /// <summary>Steps between glances.</summary>
    /// <param name="encoder">Shape of both encoders.</param>
    /// <param name="predictor">Shape of the predictor.</param>
    /// <param name="masks">Masks of the size that training draws.</param>
    /// <param name="images">Images that a glance looks at.</param>
    /// <param name="imagesPerStep">B, images in a step.</param>
    public static int ForGlances(VisionTransformerShape encoder, PredictorShape predictor, MaskBatch masks, int images, int imagesPerStep)
    {
        var (whole, _, _, step) = WorkOf(encoder, predictor, masks, imagesPerStep);
        return Rounded(Math.Max(Shortest, images * whole / (ShareOfGlances * step)));
    }

    /// <summary>Multiplications: an image through the encoder whole and as context, its predictions, and a whole step.</summary>
    private static (double Whole, double Context, double Prediction, double Step) WorkOf(
        VisionTransformerShape encoder, PredictorShape predictor, MaskBatch masks, int imagesPerStep)
    {
        var whole = Work(encoder.Depth, encoder.Width, encoder.MlpWidth, masks.Grid.Count);
        var context = masks.ContextBlocks * Work(encoder.Depth, encoder.Width, encoder.MlpWidth, masks.ContextLength);
        var prediction = (double)masks.ContextBlocks * masks.TargetBlocks
            * Work(predictor.Depth, predictor.Width, 4 * predictor.Width, masks.ContextLength + masks.TargetLength);
        return (whole, context, prediction, imagesPerStep * (whole + (3 * (context + prediction))));
    }

    private static double Work(int depth, int width, int mlp, int tokens) =>
        depth * ((((4.0 * width) + (2.0 * mlp)) * width * tokens) + (2.0 * width * tokens * tokens));

    /// <summary>Up to the next 10, or 100 from 1,000 on: a number to remember.</summary>
    private static int Rounded(double steps)
    {
        var unit = steps >= 1000 ? 100 : 10;
        return (int)Math.Ceiling(steps / unit) * unit;
    }
}
