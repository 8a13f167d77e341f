namespace JepaSharp.Evaluation.Drawing;

/// <summary>How much of what varies between pictures varies between those of one representation: 0 where it decides everything, 1 where it
/// decides nothing.</summary>
/// <remarks>
/// Both without bias, although noises are the same for all representations: within, the variance over the S pictures of a representation, with
/// S - 1; in all, half the mean square between pictures of another representation and another noise. With R_i = Σ_s x_is, C_s = Σ_i x_is, T their
/// sum and Q = Σ x²,
/// <code>
/// all = (Q (N - 1)(S - 1) - (T² - Σ R² - Σ C² + Q)) / (N (N - 1) S (S - 1))
/// </code>
/// </remarks>
/// <param name="Share">Σ within / Σ all over all numbers.</param>
/// <param name="Map">[P / channels], the same place by place, its channels summed.</param>
public sealed record DrawingSpread(double Share, double[] Map)
{
    /// <summary>Of pictures.</summary>
    /// <param name="drawn">N representations, at least 2, and S pictures of each, at least 2.</param>
    /// <param name="channels">Channels, which lie one after the other in a picture.</param>
    public static DrawingSpread Of(DrawnPictures drawn, int channels)
    {
        ArgumentNullException.ThrowIfNull(drawn);
        double n = drawn.Representations, s = drawn.Each;
        if (n < 2 || s < 2) throw new ArgumentException("A spread is of at least two pictures of each of two representations.", nameof(drawn));
        var places = drawn.Numbers / channels;
        var (within, all) = (new double[places], new double[places]);
        var columns = new double[drawn.Each];
        for (var p = 0; p < drawn.Numbers; p++)
        {
            Array.Clear(columns);
            double total = 0, squares = 0, rowSquares = 0;
            for (var i = 0; i < drawn.Representations; i++)
            {
                var row = 0.0;
                for (var k = 0; k < drawn.Each; k++)
                {
                    double x = drawn[i, k][p];
                    row += x;
                    squares += x * x;
                    columns[k] += x;
                }

                total += row;
                rowSquares += row * row;
            }

            var cross = (total * total) - rowSquares - columns.Sum(c => c * c) + squares;
            within[p % places] += (squares - (rowSquares / s)) / (n * (s - 1));
            all[p % places] += ((squares * (n - 1) * (s - 1)) - cross) / (n * (n - 1) * s * (s - 1));
        }

        return new DrawingSpread(Ratio(within.Sum(), all.Sum()), [.. within.Zip(all, Ratio)]);
    }

    private static double Ratio(double within, double all) => all > 1e-12 ? within / all : double.NaN;
}
