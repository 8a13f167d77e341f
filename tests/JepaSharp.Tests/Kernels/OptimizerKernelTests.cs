using JepaSharp.Kernels;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Kernels;

public sealed unsafe class OptimizerKernelTests
{
    private const int Count = 16 * 4096 * 2 + 37; // more than one piece, and a rest that fills no vector

    [Fact]
    public void Step_SeveralTimes_AgreesWithTheTextbook()
    {
        KernelFact.NeedsSingles();
        var random = new RandomStream(3, RandomPurpose.Evaluation);
        float[] Numbers() => [.. Enumerable.Range(0, Count).Select(_ => (float)(random.NextDouble() - 0.5))];
        float[] w = Numbers(), a = Numbers(), m = new float[Count], v = new float[Count];
        double[] W = [.. w.Select(x => (double)x)], A = [.. a.Select(x => (double)x)], M = new double[Count], V = new double[Count];
        for (var t = 1; t <= 5; t++)
        {
            var g = Numbers();
            var (rate, decay, approach) = (0.01 * t, 0.1, 0.02);
            fixed (float* pw = w, pg = g, pm = m, pv = v, pa = a)
                AdamWKernel.Step(pw, pg, pm, pv, pa, Count, new AdamWNumbers(rate, 0.9, 0.999, 1e-8, decay, t), approach, WorkerThreads.Shared);
            for (var i = 0; i < Count; i++)
            {
                M[i] = (0.9 * M[i]) + (0.1 * g[i]);
                V[i] = (0.999 * V[i]) + (0.001 * g[i] * g[i]);
                W[i] -= rate * decay * W[i];
                W[i] -= rate * (M[i] / (1 - Math.Pow(0.9, t))) / (Math.Sqrt(V[i] / (1 - Math.Pow(0.999, t))) + 1e-8);
                A[i] = (0.98 * A[i]) + (0.02 * W[i]);
            }
        }

        for (var i = 0; i < Count; i++)
        {
            Assert.Equal(W[i], w[i], 2e-6);
            Assert.Equal(A[i], a[i], 1e-6);
        }
    }

    [Fact]
    public void SumOfSquares_IsThatOfDoubles_AndHidesNothing()
    {
        KernelFact.NeedsSingles();
        var random = new RandomStream(4, RandomPurpose.Evaluation);
        float[] x = [.. Enumerable.Range(0, Count).Select(_ => (float)(random.NextDouble() - 0.5))];
        Assert.Equal(1, Of(x) / x.Sum(n => (double)n * n), 1e-7);
        for (var at = 0; at < Count; at += 4999)
        {
            foreach (var bad in (float[])[float.NaN, float.PositiveInfinity])
            {
                var before = x[at];
                x[at] = bad;
                Assert.False(double.IsFinite(Of(x)), $"{bad} at {at} went unseen");
                x[at] = before;
            }
        }

        static double Of(float[] numbers)
        {
            fixed (float* first = numbers) return SumOfSquares.Of(first, numbers.Length, WorkerThreads.Shared);
        }
    }
}
