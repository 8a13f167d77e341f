namespace JepaSharp.Evaluation.Measures;

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
