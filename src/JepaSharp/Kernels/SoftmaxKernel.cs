using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace JepaSharp.Kernels;

/// <summary>Softmax over rows of scores, and its backward. Rows are padded to whole vectors; what is past the end comes out as zero.</summary>
internal static unsafe class SoftmaxKernel
{
    private static readonly Vector512<int> Lanes = Vector512.Create(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

    /// <summary>row &lt;- softmax(scale · row) over its first <paramref name="count"/> numbers, the rest of <paramref name="padded"/> zero.</summary>
    public static void Apply<T>(float* row, int count, int padded, float scale)
        where T : struct, IElement
    {
        var inverse = Exponentials<T>(row, count, scale);
        for (var i = 0; i < padded; i += 16) (i < count ? Vector512.Load(row + i) * inverse : Vector512<float>.Zero).Store(row + i);
    }

    /// <summary>The same into <paramref name="target"/>, in the products' format; what the row holds afterwards is of no use.</summary>
    public static void Apply<T>(float* row, int count, int padded, float scale, byte* target)
        where T : struct, IElement
    {
        var inverse = Exponentials<T>(row, count, scale);
        for (var i = 0; i < padded; i += 16) T.Store(target + (i * T.Size), i < count ? Vector512.Load(row + i) * inverse : Vector512<float>.Zero);
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
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Exponentials<T>(float* row, int count, float scale)
        where T : struct, IElement
    {
        const float Log2E = 1.442695041f;
        if (T.PerWord == 2) scale *= Log2E; // powers of two, where they are rounded to bfloat16
        var largest = Vector512.Create(float.NegativeInfinity);
        for (var i = 0; i < count; i += 16) largest = Avx512F.Max(Inside(row, i, count, Vector512.Create(float.NegativeInfinity)), largest);
        var offset = Vector512.Create(Largest(largest) * -scale);
        var factor = Vector512.Create(scale);
        var sum = Vector512<float>.Zero;
        for (var i = 0; i < count; i += 16)
        {
            var x = Vector512.FusedMultiplyAdd(Vector512.Load(row + i), factor, offset);
            var e = T.PerWord == 2 ? VectorFunctions.ShortExp2(x) : VectorFunctions.Exp(x);
            if (i + 16 > count) e = Mask(e, i, count);
            e.Store(row + i);
            sum += e;
        }

        return Vector512.Create(1 / Vector512.Sum(sum));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Inside(float* row, int i, int count, Vector512<float> otherwise)
    {
        var values = Vector512.Load(row + i);
        return i + 16 <= count ? values : Vector512.ConditionalSelect(Before(i, count), values, otherwise);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Mask(Vector512<float> values, int i, int count) => Vector512.ConditionalSelect(Before(i, count), values, Vector512<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Before(int i, int count) => Vector512.LessThan(Lanes, Vector512.Create(count - i)).AsSingle();

    private static float Largest(Vector512<float> values)
    {
        var half = Vector256.Max(values.GetLower(), values.GetUpper());
        var quarter = Vector128.Max(half.GetLower(), half.GetUpper());
        return MathF.Max(MathF.Max(quarter[0], quarter[1]), MathF.Max(quarter[2], quarter[3]));
    }
}
