using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Measures;

/// <summary>Label-free signs of collapse in features [n, D].</summary>
/// <param name="RankMe">Directions used, 1 to min(n, D); falls towards 1 as features collapse to a line.</param>
/// <param name="Deviation">Mean over features of the standard deviation over images; falls to 0 as features collapse to a point.</param>
/// <param name="MeanCosine">Mean cosine between different images, -1 to 1; rises to 1 as features collapse to a point.</param>
public sealed record CollapseMeasures(double RankMe, double Deviation, double MeanCosine)
{
    /// <summary>Measures features of at least two images.</summary>
    /// <exception cref="ArgumentException">There is one image only.</exception>
    public static CollapseMeasures Of(FeatureMatrix features)
    {
        if (features.Rows < 2) throw new ArgumentException("Found one image; expected at least two to compare.", nameof(features));
        return new CollapseMeasures(Measures.RankMe.Of(features), FeatureMoments.Of(features).Deviation.Average(), CosineOfPairs(features));
    }

    /// <summary>
    /// Mean of u_i . u_j over i != j, u the features at unit length: (|sum u_i|^2 - sum |u_i|^2) / (n (n - 1)), without visiting the pairs.
    /// </summary>
    private static double CosineOfPairs(FeatureMatrix features)
    {
        var sum = new double[features.Width];
        var own = 0.0;
        for (var row = 0; row < features.Rows; row++)
        {
            var values = features.Row(row);
            var squares = 0.0;
            foreach (var value in values) squares += (double)value * value;
            if (squares == 0) continue; // an image without direction is at right angles to all
            own += 1;
            var inverse = 1 / Math.Sqrt(squares);
            for (var d = 0; d < sum.Length; d++) sum[d] += values[d] * inverse;
        }

        return (sum.Sum(value => value * value) - own) / ((double)features.Rows * (features.Rows - 1));
    }
}

/// <summary>RankMe: how many directions of feature space are used; needs no label.</summary>
/// <remarks>
/// Garrido et al., "RankMe: Assessing the downstream performance of pretrained self-supervised representations by their rank" (ICML
/// 2023), equation 1: exp(-sum p_k ln p_k), p_k = s_k / |s|_1 + 1e-7, s the singular values of the features [n, D], not centred. Between 1
/// and min(n, D); the paper uses 25,600 images.
/// </remarks>
public static class RankMe
{
    /// <summary>RankMe of features [n, D]; 0 if all are zero.</summary>
    public static double Of(FeatureMatrix features)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var values = linalg.svdvals(features.ToTensor().to(ScalarType.Float64));
        return EffectiveRank.Of(values.data<double>().ToArray());
    }
}
