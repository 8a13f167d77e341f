using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Measures;

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
