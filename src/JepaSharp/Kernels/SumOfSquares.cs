using System.Runtime.Intrinsics;

namespace JepaSharp.Kernels;

/// <summary>Σ x² over flat memory, in double precision, the same to the bit for any number of threads.</summary>
internal static unsafe class SumOfSquares
{
    private const int Piece = 1 << 16;

    /// <summary>Not finite if any number is not, or where the squares are too large for float32.</summary>
    public static double Of(float* numbers, nint count, WorkerThreads threads)
    {
        var sums = new double[(count + Piece - 1) / Piece];
        threads.Run(sums.Length, (piece, _) => sums[piece] = Sum(numbers + ((nint)piece * Piece), Math.Min(Piece, count - ((nint)piece * Piece))));
        return sums.Sum();
    }

    private static double Sum(float* x, nint count)
    {
        nint i = 0;
        var total = 0.0;
        while (i + 64 <= count)
        {
            // Sixteen additions in float32 at most before a sum goes over to double.
            var (a, b) = (Vector512<float>.Zero, Vector512<float>.Zero);
            for (var end = Math.Min(count - 31, i + 512); i < end; i += 32)
            {
                Vector512<float> p = Vector512.Load(x + i), q = Vector512.Load(x + i + 16);
                a = Vector512.FusedMultiplyAdd(p, p, a);
                b = Vector512.FusedMultiplyAdd(q, q, b);
            }

            total += Vector512.Sum(a) + (double)Vector512.Sum(b);
        }

        for (; i < count; i++) total += (double)x[i] * x[i];
        return total;
    }
}
