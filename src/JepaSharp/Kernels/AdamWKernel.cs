using System.Runtime.Intrinsics;

namespace JepaSharp.Kernels;

/// <summary>The numbers of one AdamW step.</summary>
/// <param name="LearningRate">lr.</param>
/// <param name="Beta1">β₁.</param>
/// <param name="Beta2">β₂.</param>
/// <param name="Epsilon">ε.</param>
/// <param name="WeightDecay">λ.</param>
/// <param name="Step">t, counted from 1.</param>
internal sealed record AdamWNumbers(double LearningRate, double Beta1, double Beta2, double Epsilon, double WeightDecay, long Step);

/// <summary>AdamW on flat memory, and in the same pass the moving average that follows the weights: every number is read and written once.</summary>
/// <remarks>
/// <code>
/// m &lt;- m + (1 - β₁)(g - m)        v &lt;- β₂ v + (1 - β₂) g²
/// w &lt;- (1 - lr λ) w - lr / (1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε)
/// a &lt;- a + (1 - momentum)(w - a)
/// </code>
/// A step on large networks is bound by memory: separate passes would move two and a half times as much for the average alone.
/// </remarks>
internal static unsafe class AdamWKernel
{
    private const int Piece = 1 << 16;

    /// <summary>One step on <paramref name="count"/> numbers.</summary>
    /// <param name="weights">w.</param>
    /// <param name="gradients">g.</param>
    /// <param name="first">m.</param>
    /// <param name="second">v.</param>
    /// <param name="average">a; null for none.</param>
    /// <param name="count">Numbers.</param>
    /// <param name="numbers">Of the step.</param>
    /// <param name="approach">1 - momentum of the average.</param>
    /// <param name="threads">Who does the work.</param>
    public static void Step(
        float* weights, float* gradients, float* first, float* second, float* average, nint count, AdamWNumbers numbers, double approach,
        WorkerThreads threads)
    {
        var correction2 = Math.Sqrt(1 - Math.Pow(numbers.Beta2, numbers.Step));
        var keep = (float)(1 - (numbers.LearningRate * numbers.WeightDecay));
        var rate = (float)(numbers.LearningRate / (1 - Math.Pow(numbers.Beta1, numbers.Step)));
        var constants = new Constants((float)(1 - numbers.Beta1), (float)numbers.Beta2, (float)(1 - numbers.Beta2), keep, rate,
            (float)(1 / correction2), (float)numbers.Epsilon, (float)approach);
        threads.Run((int)((count + Piece - 1) / Piece), (piece, _) =>
        {
            var from = (nint)piece * Piece;
            Run(weights + from, gradients + from, first + from, second + from, average == null ? null : average + from, Math.Min(Piece, count - from),
                constants);
        });
    }

    private static void Run(float* w, float* g, float* m, float* v, float* a, nint count, in Constants c)
    {
        nint i = 0;
        for (; i + 16 <= count; i += 16)
        {
            var gradient = Vector512.Load(g + i);
            var momentum = Vector512.Load(m + i);
            momentum = Vector512.FusedMultiplyAdd(gradient - momentum, Vector512.Create(c.Approach1), momentum);
            var variance =
                Vector512.FusedMultiplyAdd(gradient * gradient, Vector512.Create(c.Rest2), Vector512.Load(v + i) * Vector512.Create(c.Beta2));
            var denominator = Vector512.FusedMultiplyAdd(Vector512.Sqrt(variance), Vector512.Create(c.Correction), Vector512.Create(c.Epsilon));
            var weight = (Vector512.Load(w + i) * Vector512.Create(c.Keep)) - (Vector512.Create(c.Rate) * momentum / denominator);
            momentum.Store(m + i);
            variance.Store(v + i);
            weight.Store(w + i);
            if (a == null) continue;
            var average = Vector512.Load(a + i);
            Vector512.FusedMultiplyAdd(weight - average, Vector512.Create(c.Approach), average).Store(a + i);
        }

        for (; i < count; i++)
        {
            m[i] += (g[i] - m[i]) * c.Approach1;
            v[i] = (v[i] * c.Beta2) + (g[i] * g[i] * c.Rest2);
            w[i] = (w[i] * c.Keep) - (c.Rate * m[i] / ((MathF.Sqrt(v[i]) * c.Correction) + c.Epsilon));
            if (a != null) a[i] += (w[i] - a[i]) * c.Approach;
        }
    }

    private readonly record struct Constants(
        float Approach1, float Beta2, float Rest2, float Keep, float Rate, float Correction, float Epsilon, float Approach);
}
