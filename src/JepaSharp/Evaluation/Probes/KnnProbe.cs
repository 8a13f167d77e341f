namespace JepaSharp.Evaluation.Probes;

/// <summary>Settings of <see cref="KnnProbe"/>: DINO's k and temperature.</summary>
public sealed record KnnOptions
{
    /// <summary>k, neighbours that vote; all, where there are fewer.</summary>
    public int Neighbours { get; init; } = 20;

    /// <summary>T: a neighbour at cosine s votes with weight exp(s / T).</summary>
    public double Temperature { get; init; } = 0.07;

    /// <summary>
    /// Whether the mean of the fit features is subtracted from all. Deviation: DINO does not; masked-prediction features have a large
    /// common part, which makes all cosines alike.
    /// </summary>
    public bool CentreOnFitMean { get; init; } = true;
}

/// <summary>Weighted k-nearest-neighbours classification by cosine similarity.</summary>
/// <remarks>
/// Wu et al., "Unsupervised feature learning via non-parametric instance discrimination" (CVPR 2018), section 3.4, as evaluated by DINO
/// (Caron et al., ICCV 2021): score of class c = sum over the k nearest of exp(cosine / T) [label = c].
/// </remarks>
public static class KnnProbe
{
    /// <summary>Keeps the fit set's features, at unit length.</summary>
    /// <exception cref="ArgumentOutOfRangeException">k or T is not positive.</exception>
    /// <exception cref="Runtime.JepaException">All images are of one class.</exception>
    public static Neighbourhood Fit(ClassificationSet fit, KnnOptions? options = null) => new(fit.RequireFittable(), options ?? new KnnOptions());
}
