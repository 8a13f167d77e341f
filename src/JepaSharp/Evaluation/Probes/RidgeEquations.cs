using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Probes;

/// <summary>The normal equations of ridge regression on standardised features, built once and solved for any penalty.</summary>
/// <remarks>
/// Minimise |Y - X W - 1 b'|^2 + p |W|^2 over W [D, T] and b [T], with X [n, D] the standardised features; the bias is not penalised.
/// Setting the gradient in b to zero gives b = mean(Y), because the columns of X have mean 0. Setting the gradient in W to zero gives
/// (X'X + p I) W = X'(Y - 1 b') = X'Y, the last step again because 1'X = 0. X'X and X'Y are summed once; each penalty then costs
/// one Cholesky factorisation, D^3 / 3 operations, less than an eigendecomposition for the few penalties of a search. (Hoerl and
/// Kennard, Technometrics 1970.)
/// </remarks>
internal sealed class RidgeEquations
{
    private const int ChunkElements = 1 << 22;

    private readonly FeatureMoments _moments;
    private readonly double[] _gram;
    private readonly double[] _products;
    private readonly double[] _mean;

    /// <summary>Sums the equations over the fit data.</summary>
    /// <param name="features">[n, D].</param>
    /// <param name="targets">[n, T] row-major.</param>
    public RidgeEquations(FeatureMatrix features, double[] targets)
    {
        int width = features.Width, outputs = targets.Length / features.Rows;
        _moments = FeatureMoments.Of(features);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        Tensor mean = tensor(_moments.Mean), scale = tensor(_moments.InverseDeviation());
        Tensor gram = zeros(width, width, dtype: ScalarType.Float64), products = zeros(width, outputs, dtype: ScalarType.Float64);
        var all = tensor(targets, [features.Rows, outputs]);
        var chunk = Math.Max(1, ChunkElements / width);
        for (var first = 0; first < features.Rows; first += chunk)
        {
            using var inner = NewDisposeScope();
            var count = Math.Min(chunk, features.Rows - first);
            var x = features.ToTensor(first, count).to(ScalarType.Float64).Subtract(mean) * scale;
            gram.Add_(x.t().mm(x));
            products.Add_(x.t().mm(all.narrow(0, first, count)));
        }

        _gram = gram.data<double>().ToArray();
        _products = products.data<double>().ToArray();
        _mean = all.mean([0L]).data<double>().ToArray();
    }

    /// <summary>The readout that minimises the penalised squared error.</summary>
    /// <param name="penalty">p, above 0.</param>
    public LinearReadout Solve(double penalty)
    {
        int width = _moments.Mean.Length, outputs = _mean.Length;
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var matrix = tensor(_gram, [width, width]).Add(eye(width, dtype: ScalarType.Float64).Multiply(penalty));
        var root = linalg.cholesky(matrix);
        var weights = cholesky_solve(tensor(_products, [width, outputs]), root).contiguous();
        return LinearReadout.Unstandardise(_moments, weights.data<double>().ToArray(), _mean);
    }
}
