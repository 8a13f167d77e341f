using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace JepaSharp.Kernels;

/// <summary>Softmax over rows of scores, and its backward. Rows are padded to whole vectors; what is past the end comes out as zero.</summary>
internal static unsafe class SoftmaxKernel
{
    private const float Log2E = 1.442695041f;
    private static readonly Vector512<int> Lanes = Vector512.Create(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

    /// <summary>row &lt;- softmax(scale · row) over its first <paramref name="count"/> numbers, the rest of <paramref name="padded"/> zero.</summary>
    public static void Apply<T>(float* row, int count, int padded, float scale)
        where T : struct, IElement
    {
        var inverse = Exponentials<T>(row, count, scale);
        for (var i = 0; i < padded; i += 16) (i < count ? Vector512.Load(row + i) * inverse : Vector512<float>.Zero).Store(row + i);
    }

    /// <summary>The same for all <paramref name="rows"/>, into <paramref name="target"/> and in the products' format; what the rows hold afterwards
    /// is of no use.</summary>
    public static void Apply<T>(float* scores, int rows, int count, int padded, float scale, byte* target)
        where T : struct, IElement
    {
        var inverses = stackalloc float[4];
        for (var first = 0; first < rows; first += 4)
        {
            var a = scores + ((nint)first * padded);
            if (first + 4 <= rows) Exponentials<T>(a, a + padded, a + (2 * padded), a + (3 * padded), count, scale, inverses);
            for (var r = 0; r < Math.Min(4, rows - first); r++)
            {
                var row = a + (r * padded);
                var inverse = first + 4 <= rows ? Vector512.Create(inverses[r]) : Exponentials<T>(row, count, scale);
                var to = target + ((nint)(first + r) * padded * T.Size);
                for (var i = 0; i < padded; i += 16)
                    T.Store(to + (i * T.Size), i < count ? Vector512.Load(row + i) * inverse : Vector512<float>.Zero);
            }
        }
    }

    /// <summary>gradient &lt;- scale · p (gradient - Σ p gradient): from softmax's output to its input.</summary>
    /// <param name="p">The probabilities, zero past the end.</param>
    /// <param name="gradient">In and out, [padded].</param>
    /// <param name="padded">Length in whole vectors.</param>
    /// <param name="scale">Of the scores.</param>
    public static void Backward(float* p, float* gradient, int padded, float scale)
    {
        var sum = Vector512<float>.Zero;
        for (var i = 0; i < padded; i += 16) sum = Vector512.FusedMultiplyAdd(Vector512.Load(p + i), Vector512.Load(gradient + i), sum);
        var (mean, factor) = (Vector512.Create(Vector512.Sum(sum)), Vector512.Create(scale));
        for (var i = 0; i < padded; i += 16) ((Vector512.Load(gradient + i) - mean) * Vector512.Load(p + i) * factor).Store(gradient + i);
    }

    /// <summary>row &lt;- e to the scale · (row - largest); returns 1 over their sum.</summary>
    private static Vector512<float> Exponentials<T>(float* row, int count, float scale)
        where T : struct, IElement
    {
        if (T.Size == 2) scale *= Log2E;
        var (largest, sum) = (Vector512.Create(float.NegativeInfinity), Vector512<float>.Zero);
        for (var i = 0; i < count; i += 16) largest = Greater(row, i, count, largest);
        var offset = Vector512.Create(VectorFunctions.Largest(largest, largest, largest, largest)[0] * -scale);
        for (var i = 0; i < count; i += 16) sum += Exponential<T>(row, i, count, scale, offset);
        return Vector512.Create(1 / VectorFunctions.Sums(sum, sum, sum, sum)[0]);
    }

    /// <summary>The same for four rows at a time: what one alone would wait for, four share.</summary>
    private static void Exponentials<T>(float* a, float* b, float* c, float* d, int count, float scale, float* inverses)
        where T : struct, IElement
    {
        if (!Vector512.IsHardwareAccelerated)
        {
            // Sixteen registers do not hold four rows' numbers.
            (inverses[0], inverses[1]) = (Exponentials<T>(a, count, scale)[0], Exponentials<T>(b, count, scale)[0]);
            (inverses[2], inverses[3]) = (Exponentials<T>(c, count, scale)[0], Exponentials<T>(d, count, scale)[0]);
            return;
        }

        if (T.Size == 2) scale *= Log2E;
        Vector512<float> p = Vector512.Create(float.NegativeInfinity), q = p, r = p, s = p;
        for (var i = 0; i < count; i += 16)
        {
            p = Greater(a, i, count, p);
            q = Greater(b, i, count, q);
            r = Greater(c, i, count, r);
            s = Greater(d, i, count, s);
        }

        var offsets = VectorFunctions.Largest(p, q, r, s) * -scale;
        Vector512<float> oa = Vector512.Create(offsets[0]), ob = Vector512.Create(offsets[1]), oc = Vector512.Create(offsets[2]),
        od = Vector512.Create(offsets[3]);
        p = q = r = s = Vector512<float>.Zero;
        for (var i = 0; i < count; i += 16)
        {
            p += Exponential<T>(a, i, count, scale, oa);
            q += Exponential<T>(b, i, count, scale, ob);
            r += Exponential<T>(c, i, count, scale, oc);
            s += Exponential<T>(d, i, count, scale, od);
        }

        (Vector128<float>.One / VectorFunctions.Sums(p, q, r, s)).Store(inverses);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Greater(float* row, int i, int count, Vector512<float> than) =>
        SixteenLanes.Greatest(Inside(row, i, count, Vector512.Create(float.NegativeInfinity)), than);

    /// <summary>Of 16 numbers, in place; powers of two where they are rounded to bfloat16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Exponential<T>(float* row, int i, int count, float scale, Vector512<float> offset)
        where T : struct, IElement
    {
        var x = Vector512.FusedMultiplyAdd(Vector512.Load(row + i), Vector512.Create(scale), offset);
        var e = T.Size == 2 ? VectorFunctions.ShortExp2(x) : VectorFunctions.Exp(x);
        if (i + 16 > count) e = Mask(e, i, count);
        e.Store(row + i);
        return e;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Inside(float* row, int i, int count, Vector512<float> otherwise)
    {
        var values = Vector512.Load(row + i);
        return i + 16 <= count ? values : Vector512.ConditionalSelect(Before(i, count), values, otherwise);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Mask(Vector512<float> values, int i, int count) =>
        Vector512.ConditionalSelect(Before(i, count), values, Vector512<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Before(int i, int count) => Vector512.LessThan(Lanes, Vector512.Create(count - i)).AsSingle();
}
