namespace JepaSharp.Evaluation.Heads;

/// <summary>How far probabilities are to be believed.</summary>
/// <param name="ExpectedError">Expected calibration error: the mean distance between probability and share of right labels, over 15 bins of
/// probability, each counting as many times as it has images.</param>
/// <param name="LogLoss">Mean -ln of the true class's probability.</param>
public sealed record CalibrationScore(double ExpectedError, double LogLoss);

/// <summary>Turns outputs into probabilities that mean what they say.</summary>
/// <remarks>Guo et al., "On calibration of modern neural networks" (ICML 2017), section 4.2, temperature scaling: p = softmax(y / T). No label
/// changes by it.</remarks>
internal static class Calibration
{
    private const int Bins = 15, Steps = 80;
    private const double Least = 0.02, Most = 50;

    /// <summary>softmax(y / T) of each row: [n, K].</summary>
    /// <param name="outputs">[n, K].</param>
    /// <param name="classes">K.</param>
    /// <param name="temperature">T.</param>
    public static double[] Probabilities(ReadOnlySpan<double> outputs, int classes, double temperature)
    {
        var probabilities = new double[outputs.Length];
        for (var from = 0; from < outputs.Length; from += classes)
        {
            var row = outputs.Slice(from, classes);
            var into = probabilities.AsSpan(from, classes);
            var largest = double.NegativeInfinity;
            foreach (var output in row) largest = Math.Max(largest, output);
            var sum = 0.0;
            for (var c = 0; c < classes; c++) sum += into[c] = Math.Exp((row[c] - largest) / temperature);
            for (var c = 0; c < classes; c++) into[c] /= sum;
        }

        return probabilities;
    }

    /// <summary>The temperature of the least log loss, found by golden section on ln T, in which the loss has one valley.</summary>
    /// <remarks>Deviation from Guo et al.: half of (ln T)² is added to the sum over the images, which holds T near 1 where a handful of images would
    /// make it 0 or infinite, and which hundreds of images do not feel.</remarks>
    public static double Temperature(double[] outputs, ReadOnlySpan<int> labels, int classes)
    {
        var truth = labels.ToArray();
        double Loss(double logarithm) =>
            (LogLoss(Probabilities(outputs, classes, Math.Exp(logarithm)), truth, classes) * truth.Length) + (0.5 * logarithm * logarithm);

        var share = (Math.Sqrt(5) - 1) / 2;
        var (low, high) = (Math.Log(Least), Math.Log(Most));
        var (left, right) = (high - (share * (high - low)), low + (share * (high - low)));
        var (atLeft, atRight) = (Loss(left), Loss(right));
        for (var step = 0; step < Steps; step++)
        {
            if (atLeft <= atRight)
            {
                (high, right, atRight) = (right, left, atLeft);
                atLeft = Loss(left = high - (share * (high - low)));
            }
            else
            {
                (low, left, atLeft) = (left, right, atRight);
                atRight = Loss(right = low + (share * (high - low)));
            }
        }

        return Math.Exp((low + high) / 2);
    }

    /// <summary>Mean -ln of the true class's probability.</summary>
    public static double LogLoss(ReadOnlySpan<double> probabilities, ReadOnlySpan<int> labels, int classes)
    {
        var sum = 0.0;
        for (var i = 0; i < labels.Length; i++) sum -= Math.Log(Math.Max(probabilities[(i * classes) + labels[i]], 1e-300));
        return sum / labels.Length;
    }

    /// <summary>Calibration of probabilities [n, K] of images with labels [n].</summary>
    public static CalibrationScore Score(ReadOnlySpan<double> probabilities, ReadOnlySpan<int> labels, int classes)
    {
        var (count, sure, right) = (new int[Bins], new double[Bins], new double[Bins]);
        for (var i = 0; i < labels.Length; i++)
        {
            var (label, probability) = Best(probabilities.Slice(i * classes, classes));
            var bin = Math.Min((int)(probability * Bins), Bins - 1);
            count[bin]++;
            sure[bin] += probability;
            if (label == labels[i]) right[bin]++;
        }

        var distance = 0.0;
        for (var b = 0; b < Bins; b++) distance += Math.Abs(sure[b] - right[b]);
        return new CalibrationScore(distance / labels.Length, LogLoss(probabilities, labels, classes));
    }

    /// <summary>The likeliest class, of several the first, and its probability.</summary>
    public static (int Label, double Probability) Best(ReadOnlySpan<double> probabilities)
    {
        var best = 0;
        for (var c = 1; c < probabilities.Length; c++)
            if (probabilities[c] > probabilities[best]) best = c;
        return (best, probabilities[best]);
    }

    /// <summary>The probability below which a label is "unsure": the median of the wrong labels' probabilities, so that half of the mistakes lie
    /// below; where none is wrong, the least probability there is.</summary>
    public static double UnsureBelow(ReadOnlySpan<double> probabilities, ReadOnlySpan<int> labels, int classes)
    {
        var (wrong, least) = (new List<double>(), 1.0);
        for (var i = 0; i < labels.Length; i++)
        {
            var (label, probability) = Best(probabilities.Slice(i * classes, classes));
            least = Math.Min(least, probability);
            if (label != labels[i]) wrong.Add(probability);
        }

        wrong.Sort();
        return wrong.Count == 0 ? least : wrong[wrong.Count / 2];
    }
}
