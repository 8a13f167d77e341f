using JepaSharp.Configuration;

namespace JepaSharp.Objectives.Diffusion;

/// <summary>How much noise each of T steps adds, and what follows from it: tables in float64, for all steps or for those that are kept.</summary>
/// <remarks>
/// Ho et al., 2020; Nichol and Dhariwal, 2021. Steps are numbered 0 to T - 1, and x_0 at t = 0 is one step of noise already. Of kept steps β is made
/// anew from ᾱ, so that the noise at a kept step is what it was: β' = 1 - ᾱ / ᾱ of the one kept before.
/// <code>
/// ᾱ_t = Π_{s ≤ t} (1 - β_s)                     ᾱ_{-1} = 1
/// β̃_t = β_t (1 - ᾱ_{t-1}) / (1 - ᾱ_t)           the variance of x_{t-1} given x_t and x_0
/// mean = c0 x_0 + ct x_t                          c0 = β_t √ᾱ_{t-1} / (1 - ᾱ_t),  ct = (1 - ᾱ_{t-1}) √(1 - β_t) / (1 - ᾱ_t)
/// </code>
/// </remarks>
public sealed class NoiseSchedule
{
    private const double LeastBeta = 0.0001, MostBeta = 0.02, UsualSteps = 1000, MostCosineBeta = 0.999;

    private NoiseSchedule(double[] betas, int[] steps)
    {
        (Betas, OriginalSteps) = (betas, steps);
        var count = betas.Length;
        (AlphaBars, PosteriorVariances, LogPosteriorVariances) = (new double[count], new double[count], new double[count]);
        (ImageShares, NoisyShares, LogFixedVariances) = (new double[count], new double[count], new double[count]);
        var before = 1.0;
        for (var t = 0; t < count; t++)
        {
            var (beta, alphaBar) = (betas[t], before * (1 - betas[t]));
            AlphaBars[t] = alphaBar;
            PosteriorVariances[t] = beta * (1 - before) / (1 - alphaBar);
            ImageShares[t] = beta * Math.Sqrt(before) / (1 - alphaBar);
            NoisyShares[t] = (1 - before) * Math.Sqrt(1 - beta) / (1 - alphaBar);
            before = alphaBar;
        }

        for (var t = 0; t < count; t++)
        {
            // The first step's is 0, whose logarithm nobody wants.
            LogPosteriorVariances[t] = Math.Log(PosteriorVariances[Math.Min(Math.Max(t, 1), count - 1)]);
            LogFixedVariances[t] = Math.Log(t == 0 ? PosteriorVariances[Math.Min(1, count - 1)] : betas[t]);
        }
    }

    /// <summary>How many steps there are.</summary>
    public int Count => Betas.Count;

    /// <summary>β: the variance that each step adds.</summary>
    public IReadOnlyList<double> Betas { get; }

    /// <summary>ᾱ: share of an image's own variance that is left after each step.</summary>
    public double[] AlphaBars { get; }

    /// <summary>β̃.</summary>
    public double[] PosteriorVariances { get; }

    /// <summary>log β̃, the first that of the second.</summary>
    public double[] LogPosteriorVariances { get; }

    /// <summary>c0.</summary>
    public double[] ImageShares { get; }

    /// <summary>ct.</summary>
    public double[] NoisyShares { get; }

    /// <summary>Logarithm of the variance that a step back is taken with where none is learned: β, but the second β̃ at the first step.</summary>
    public double[] LogFixedVariances { get; }

    /// <summary>Number of each step among the T of training: what the network is told.</summary>
    public IReadOnlyList<int> OriginalSteps { get; }

    /// <summary>The schedule of training.</summary>
    /// <param name="kind">Linear (Ho et al., 2020) or cosine (Nichol and Dhariwal, 2021).</param>
    /// <param name="steps">T.</param>
    public static NoiseSchedule Of(NoiseKind kind, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 2);
        return new NoiseSchedule(kind == NoiseKind.Cosine ? Cosine(steps) : Linear(steps), [.. Enumerable.Range(0, steps)]);
    }

    /// <summary>The schedule of some of the steps.</summary>
    /// <param name="kept">Their numbers, rising.</param>
    public NoiseSchedule Keeping(IReadOnlyList<int> kept)
    {
        ArgumentNullException.ThrowIfNull(kept);
        var betas = new double[kept.Count];
        var before = 1.0;
        for (var i = 0; i < betas.Length; i++)
        {
            betas[i] = 1 - (AlphaBars[kept[i]] / before);
            before = AlphaBars[kept[i]];
        }

        return new NoiseSchedule(betas, [.. kept.Select(t => OriginalSteps[t])]);
    }

    /// <summary>From 0.0001 to 0.02, both included, for a thousand steps; for fewer as many times more.</summary>
    private static double[] Linear(int steps)
    {
        var scale = UsualSteps / steps;
        var (first, last) = (scale * LeastBeta, scale * MostBeta);
        return [.. Enumerable.Range(0, steps).Select(t => first + ((last - first) * t / (steps - 1)))];
    }

    /// <summary>1 - f((t + 1) / T) / f(t / T), at most 0.999; f(u) = cos²((u + 0.008) / 1.008 π / 2).</summary>
    private static double[] Cosine(int steps)
    {
        static double F(double u) => Math.Pow(Math.Cos((u + 0.008) / 1.008 * Math.PI / 2), 2);
        return [.. Enumerable.Range(0, steps).Select(t => Math.Min(1 - (F((t + 1.0) / steps) / F((double)t / steps)), MostCosineBeta))];
    }
}
