using System.Runtime.Intrinsics;

namespace JepaSharp.Kernels;

/// <summary>The mean distance between predictions and targets, and its gradient in the same pass.</summary>
internal static unsafe class DistanceKernel
{
    private const int Piece = 1 << 13;

    /// <summary>Σ distance(p - t) · <paramref name="factor"/>, and what it becomes per p.</summary>
    /// <remarks>Smooth L1 with β = 1: d² / 2 within 1, |d| - 1/2 outside. Otherwise d².</remarks>
    /// <param name="predictions">p, float32.</param>
    /// <param name="targets">t, float32.</param>
    /// <param name="count">Numbers of each.</param>
    /// <param name="smooth">Smooth L1, rather than the square.</param>
    /// <param name="factor">One over the count, for a mean.</param>
    /// <param name="gradient">Where the gradient of p is left; null for none.</param>
    /// <param name="threads">Who does the work.</param>
    public static double Run(float* predictions, float* targets, nint count, bool smooth, double factor, float* gradient, WorkerThreads threads)
    {
        var sums = new double[(int)((count + Piece - 1) / Piece)];
        threads.Run(sums.Length, (piece, _) =>
        {
            var first = (nint)piece * Piece;
            sums[piece] = Part(predictions + first, targets + first, (int)Math.Min(Piece, count - first), smooth, (float)factor,
                gradient is null ? null : gradient + first);
        });
        var sum = 0.0;
        foreach (var part in sums) sum += part; // in this order, whoever did them
        return sum * factor;
    }

    private static double Part(float* p, float* t, int count, bool smooth, float factor, float* gradient)
    {
        var (sum, scale) = (Vector512<float>.Zero, Vector512.Create(smooth ? factor : 2 * factor));
        var i = 0;
        for (; i + 16 <= count; i += 16)
        {
            var d = Vector512.Load(p + i) - Vector512.Load(t + i);
            // In this order, so that a number that is none stays so.
            var slope = smooth ? SixteenLanes.Least(Vector512<float>.One, SixteenLanes.Greatest(Vector512.Create(-1f), d)) : d;
            sum += smooth ? slope * Vector512.FusedMultiplyAdd(slope, Vector512.Create(-0.5f), d) : d * d;
            if (gradient is not null) (slope * scale).Store(gradient + i);
        }

        var total = (double)Vector512.Sum(sum);
        for (; i < count; i++)
        {
            var d = p[i] - t[i];
            var slope = smooth ? Math.Clamp(d, -1, 1) : d;
            total += smooth ? slope * (d - (0.5f * slope)) : d * d;
            if (gradient is not null) gradient[i] = slope * scale[0];
        }

        return total;
    }
}
