using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Measures;

/// <summary>LiDAR: how many directions tell images apart more than they tell views of one image apart; needs no label.</summary>
/// <remarks>
/// Thilak et al., "LiDAR: Sensing linear probing performance in joint embedding SSL architectures" (ICLR 2024), section 4: every image is
/// a class of its own, whose members are features of q views (for I-JEPA, q draws of masks). With class means m_i and their mean m,
/// B = 1/(n-1) sum (m_i - m)(m_i - m)' and W = 1/(n(q-1)) sum (e_ij - m_i)(e_ij - m_i)' + 1e-4 I, LiDAR is the effective rank of
/// the eigenvalues of W^(-1/2) B W^(-1/2). The paper uses n = 1,000 and q = 50.
/// </remarks>
public static class Lidar
{
    private const double Ridge = 1e-4;

    /// <summary>LiDAR of features of n images in q views each.</summary>
    /// <param name="views">[n * q, D]: the q views of the first image, then those of the second.</param>
    /// <param name="viewsPerImage">q, at least 2.</param>
    /// <exception cref="ArgumentException">Fewer than two images or views, or rows that q does not divide.</exception>
    public static double Of(FeatureMatrix views, int viewsPerImage)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(viewsPerImage, 2);
        var images = views.Rows / viewsPerImage;
        if (images < 2 || views.Rows % viewsPerImage != 0)
            throw new ArgumentException($"Found {views.Rows} rows; expected at least 2 images times {viewsPerImage} views.", nameof(views));

        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var features = views.ToTensor().to(ScalarType.Float64).reshape(images, viewsPerImage, views.Width);
        var means = features.mean([1L], keepdim: true);
        var within = features.Subtract(means).reshape(views.Rows, views.Width);
        var between = means.reshape(images, views.Width);
        between = between.Subtract(between.mean([0L], keepdim: true));
        var scatterWithin = within.t().mm(within).Multiply(1 / ((double)images * (viewsPerImage - 1))).Add(
            eye(views.Width, dtype: ScalarType.Float64).Multiply(Ridge));
        var scatterBetween = between.t().mm(between).Multiply(1 / (images - 1.0));

        // With W = L L', the eigenvalues of W^(-1/2) B W^(-1/2) are those of L^-1 B L^-T.
        var root = linalg.cholesky(scatterWithin);
        var half = linalg.solve(root, scatterBetween);
        var whitened = linalg.solve(root, half.t());
        return EffectiveRank.Of(linalg.eigvalsh(whitened.Add(whitened.t()).Multiply(0.5)).data<double>().ToArray());
    }
}

/// <summary>Effective rank of a spectrum: the exponential of its entropy (Roy and Vetterli, EUSIPCO 2007).</summary>
internal static class EffectiveRank
{
    private const double Epsilon = 1e-7;

    /// <summary>exp(-sum p_k ln p_k) with p_k = s_k / sum(s) + 1e-7; between 1 and the number of values. 0 for a spectrum of zeros.</summary>
    public static double Of(ReadOnlySpan<double> spectrum)
    {
        var sum = 0.0;
        foreach (var value in spectrum) sum += Math.Max(0, value);
        if (sum <= 0) return 0;
        var entropy = 0.0;
        foreach (var value in spectrum)
        {
            var p = (Math.Max(0, value) / sum) + Epsilon;
            entropy -= p * Math.Log(p);
        }

        return Math.Exp(entropy);
    }
}
