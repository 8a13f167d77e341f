using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Drawing;

/// <summary>Whether what is drawn from a representation agrees with its own picture more than what is drawn from others'.</summary>
/// <remarks>
/// <code>
/// d_i = a_ii - mean over j ≠ i of a_ji
/// </code>
/// The unit is the image: pictures drawn from one representation are not independent, and so count as one. Noises are the same for all
/// representations, so that they cancel. p: which representation belongs to which picture is permuted; the share of permutations whose mean own score
/// is at least the true one, the true one counted.
/// </remarks>
/// <param name="Gains">[N], d of each image.</param>
/// <param name="Own">Mean own score.</param>
/// <param name="Mean">Mean of d.</param>
/// <param name="Error">Its standard error, sd / √N.</param>
/// <param name="Chance">p, one-sided.</param>
/// <param name="First">Share of representations whose own picture is, among all N, the one that agrees best; 1 / N by chance.</param>
public sealed record DrawingAgreement(IReadOnlyList<double> Gains, double Own, double Mean, double Error, double Chance, double First)
{
    /// <summary>Permutations that p is counted over.</summary>
    public const int Permutations = 10_000;

    /// <summary>Of scores.</summary>
    /// <param name="scores">[N, N], N at least 2: see <see cref="DrawingScores"/>.</param>
    /// <param name="seed">Keys the permutations.</param>
    /// <param name="permutations">How many.</param>
    public static DrawingAgreement Of(double[,] scores, ulong seed, int permutations = Permutations)
    {
        ArgumentNullException.ThrowIfNull(scores);
        var count = scores.GetLength(0);
        if (count < 2 || scores.GetLength(1) != count) throw new ArgumentException("Scores are [N, N], with N at least 2.", nameof(scores));
        var gains = new double[count];
        var (own, first) = (0.0, 0);
        for (var i = 0; i < count; i++)
        {
            var column = 0.0;
            for (var j = 0; j < count; j++) column += scores[j, i];
            gains[i] = scores[i, i] - ((column - scores[i, i]) / (count - 1));
            own += scores[i, i];
            if (Enumerable.Range(0, count).All(k => k == i || scores[i, k] < scores[i, i])) first++;
        }

        var (mean, error) = PairedMean.Of(gains);
        return new DrawingAgreement(gains, own / count, mean, error, ChanceOf(scores, own, seed, permutations), (double)first / count);
    }

    private static double ChanceOf(double[,] scores, double own, ulong seed, int permutations)
    {
        var order = Enumerable.Range(0, scores.GetLength(0)).ToArray();
        var random = new RandomStream(seed, RandomPurpose.Evaluation, epoch: 6);
        var reached = 1;
        for (var turn = 0; turn < permutations; turn++)
        {
            random.Shuffle(order.AsSpan());
            var sum = 0.0;
            for (var i = 0; i < order.Length; i++) sum += scores[order[i], i];
            if (sum >= own - 1e-12) reached++;
        }

        return reached / (permutations + 1.0);
    }
}

/// <summary>A mean over images and its standard error.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="Error">sd / √N, sd with N - 1; NaN of one image.</param>
public readonly record struct PairedMean(double Mean, double Error)
{
    /// <summary>Of one number an image.</summary>
    /// <param name="values">[N].</param>
    public static PairedMean Of(IReadOnlyList<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var mean = values.Average();
        var squares = values.Sum(v => (v - mean) * (v - mean));
        return new PairedMean(mean, values.Count < 2 ? double.NaN : Math.Sqrt(squares / (values.Count - 1) / values.Count));
    }

    /// <summary>Of the difference of two numbers an image.</summary>
    /// <param name="of">[N].</param>
    /// <param name="less">[N], of the same images in the same order.</param>
    public static PairedMean Of(IReadOnlyList<double> of, IReadOnlyList<double> less)
    {
        ArgumentNullException.ThrowIfNull(of);
        ArgumentNullException.ThrowIfNull(less);
        if (of.Count != less.Count) throw new ArgumentException($"{of.Count} images and {less.Count}: pairs are of the same images.", nameof(less));
        return Of([.. of.Zip(less, (a, b) => a - b)]);
    }
}
