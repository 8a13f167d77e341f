namespace JepaSharp.Evaluation.Drawing;

/// <summary>How well pictures drawn from each representation agree with every true picture: [N, N], row j of those drawn from representation j,
/// column i of true picture i, the mean over the S drawn.</summary>
public static class DrawingScores
{
    private const double LeastLength = 1e-12;

    /// <summary>Pearson's correlation over all numbers, after a mean picture was taken away from both.</summary>
    /// <param name="drawn">N representations, S pictures each.</param>
    /// <param name="truths">[N, P], row-major.</param>
    /// <param name="mean">[P], such as the mean of training pictures.</param>
    public static double[,] Correlations(DrawnPictures drawn, float[] truths, float[] mean) => Of(drawn, truths, mean, null);

    /// <summary>Cosine over all numbers, each brought to mean 0 and deviation 1 by given ones.</summary>
    /// <param name="drawn">N representations, S rows of features each.</param>
    /// <param name="truths">[N, P], row-major.</param>
    /// <param name="mean">[P].</param>
    /// <param name="deviation">[P], positive.</param>
    public static double[,] Cosines(DrawnPictures drawn, float[] truths, float[] mean, float[] deviation) => Of(drawn, truths, mean, deviation);

    private static double[,] Of(DrawnPictures drawn, float[] truths, float[] mean, float[]? deviation)
    {
        ArgumentNullException.ThrowIfNull(drawn);
        ArgumentNullException.ThrowIfNull(truths);
        ArgumentNullException.ThrowIfNull(mean);
        var (count, width) = (drawn.Representations, drawn.Numbers);
        if (truths.Length != count * width || mean.Length != width || (deviation is { } d && d.Length != width))
            throw new ArgumentException($"{truths.Length} numbers of true pictures for {count} of {width}.", nameof(truths));
        double[][] wanted = [.. Enumerable.Range(0, count).Select(i => Unit(truths.AsSpan(i * width, width), mean, deviation))];
        var scores = new double[count, count];
        for (var j = 0; j < count; j++)
        {
            // Products with unit vectors are linear: the mean over samples may be taken first.
            var average = new double[width];
            for (var s = 0; s < drawn.Each; s++)
            {
                var unit = Unit(drawn[j, s], mean, deviation);
                for (var p = 0; p < width; p++) average[p] += unit[p] / drawn.Each;
            }

            for (var i = 0; i < count; i++)
            {
                var sum = 0.0;
                for (var p = 0; p < width; p++) sum += average[p] * wanted[i][p];
                scores[j, i] = sum;
            }
        }

        return scores;
    }

    private static double[] Unit(ReadOnlySpan<float> values, float[] mean, float[]? deviation)
    {
        var unit = new double[values.Length];
        for (var p = 0; p < unit.Length; p++) unit[p] = ((double)values[p] - mean[p]) / (deviation?[p] ?? 1);
        if (deviation is null)
        {
            var centre = unit.Average();
            for (var p = 0; p < unit.Length; p++) unit[p] -= centre;
        }

        var length = Math.Max(Math.Sqrt(unit.Sum(v => v * v)), LeastLength);
        for (var p = 0; p < unit.Length; p++) unit[p] /= length;
        return unit;
    }
}
