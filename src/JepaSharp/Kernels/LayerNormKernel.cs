using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace JepaSharp.Kernels;

/// <summary>Layer norm with scale and shift over rows of float32, forward and backward. Widths are multiples of 16.</summary>
internal static unsafe class LayerNormKernel
{
    /// <summary>Rows, normalised, in the products' format.</summary>
    /// <param name="input">Rows of float32.</param>
    /// <param name="chosen">Which of them; null for one after the other.</param>
    /// <param name="first">The first row, or place in <paramref name="chosen"/>.</param>
    /// <param name="count">How many.</param>
    /// <param name="width">D.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="norm">Scale and shift; null for neither.</param>
    /// <param name="target">Where the first goes.</param>
    /// <param name="statistics">Where to leave every row's mean and 1 / √(variance + ε); null for nowhere.</param>
    public static void Forward<T>(
        float* input, long* chosen, nint first, int count, int width, float epsilon, NormMemory? norm, byte* target, float* statistics)
        where T : struct, IElement
    {
        var both = stackalloc float[8];
        for (var r = 0; r < count; r += 4)
        {
            // Where there are not four any more, the last takes the others' places.
            Statistics(Row(r), Row(r + 1), Row(r + 2), Row(r + 3), width, epsilon, both);
            for (var i = 0; i < Math.Min(4, count - r); i++)
            {
                var (mean, inverse) = (both[2 * i], both[(2 * i) + 1]);
                var row = Row(r + i);
                var to = target + ((nint)(r + i) * width * T.Size);
                if (norm is null) Apply<T>(row, width, mean, inverse, to);
                else T.Norm(row, width, mean, inverse, norm.Scale.Values, norm.Shift.Values, to);
                if (statistics != null) (statistics[2 * (r + i)], statistics[(2 * (r + i)) + 1]) = (mean, inverse);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        float* Row(int r)
        {
            var place = first + Math.Min(r, count - 1);
            return input + ((chosen == null ? place : (nint)chosen[place]) * width);
        }
    }

    /// <summary>One row's mean and 1 / √(variance + ε); the same numbers as if three others were asked for with it.</summary>
    public static (float Mean, float Inverse) Statistics(float* row, int width, float epsilon)
    {
        var both = stackalloc float[8];
        Statistics(row, row, row, row, width, epsilon, both);
        return (both[0], both[1]);
    }

    /// <summary>Mean and 1 / √(variance + ε) of four rows at a time, one after the other: what one row alone would wait for, four share.</summary>
    /// <param name="a">A row.</param>
    /// <param name="b">Another.</param>
    /// <param name="c">Another.</param>
    /// <param name="d">Another.</param>
    /// <param name="width">D.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="both">Where the eight numbers are left.</param>
    public static void Statistics(float* a, float* b, float* c, float* d, int width, float epsilon, float* both)
    {
        Vector512<float> p = Vector512<float>.Zero, q = Vector512<float>.Zero, r = Vector512<float>.Zero, s = Vector512<float>.Zero;
        for (var i = 0; i < width; i += 16)
        {
            p += Vector512.Load(a + i);
            q += Vector512.Load(b + i);
            r += Vector512.Load(c + i);
            s += Vector512.Load(d + i);
        }

        var size = Vector128.Create((float)width);
        var means = VectorFunctions.Sums(p, q, r, s) / size;
        Vector512<float> ma = Vector512.Create(means[0]), mb = Vector512.Create(means[1]), mc = Vector512.Create(means[2]),
        md = Vector512.Create(means[3]);
        p = q = r = s = Vector512<float>.Zero;
        for (var i = 0; i < width; i += 16)
        {
            Vector512<float> x = Vector512.Load(a + i) - ma, y = Vector512.Load(b + i) - mb, z = Vector512.Load(c + i) - mc,
            w = Vector512.Load(d + i) - md;
            p = Vector512.FusedMultiplyAdd(x, x, p);
            q = Vector512.FusedMultiplyAdd(y, y, q);
            r = Vector512.FusedMultiplyAdd(z, z, r);
            s = Vector512.FusedMultiplyAdd(w, w, s);
        }

        var inverses = Vector128<float>.One / Vector128.Sqrt((VectorFunctions.Sums(p, q, r, s) / size) + Vector128.Create(epsilon));
        Sse.UnpackLow(means, inverses).Store(both);
        Sse.UnpackHigh(means, inverses).Store(both + 4);
    }

    /// <summary>(x - mean) · inverse · scale + shift, in the products' format, from number <paramref name="first"/> on.</summary>
    public static void Apply<T>(float* row, int first, int width, float mean, float inverse, float* scale, float* shift, byte* target)
        where T : struct, IElement
    {
        for (var i = first; i < width; i += 16)
            T.Store(target + (i * (nint)T.Size), (Normalized(row, i, mean, inverse) * Vector512.Load(scale + i)) + Vector512.Load(shift + i));
    }

    /// <summary>(x - mean) · inverse, in the products' format.</summary>
    public static void Apply<T>(float* row, int width, float mean, float inverse, byte* target)
        where T : struct, IElement
    {
        for (var i = 0; i < width; i += 16) T.Store(target + (i * (nint)T.Size), Normalized(row, i, mean, inverse));
    }

    /// <summary>Adds the gradient of the input to <paramref name="inward"/>, and this row's part of scale's and shift's gradients to
    /// theirs.</summary>
    /// <remarks>
    /// <code>x̂ = (x - mean) inverse      g = outward · scale
    /// inward += inverse (g - mean(g) - x̂ mean(g x̂))      scale' += outward x̂      shift' += outward</code>
    /// </remarks>
    public static void Backward(
        float* row, int width, float mean, float inverse, float* scale, float* outward, float* inward, float* scaleGradient, float* shiftGradient)
    {
        var (sum, product) = (Vector512<float>.Zero, Vector512<float>.Zero);
        for (var i = 0; i < width; i += 16)
        {
            var (x, o) = (Normalized(row, i, mean, inverse), Vector512.Load(outward + i));
            Vector512.FusedMultiplyAdd(o, x, Vector512.Load(scaleGradient + i)).Store(scaleGradient + i);
            (Vector512.Load(shiftGradient + i) + o).Store(shiftGradient + i);
            var g = o * Vector512.Load(scale + i);
            (sum, product) = (sum + g, Vector512.FusedMultiplyAdd(g, x, product));
        }

        var (meanG, meanGx) = (Vector512.Create(Vector512.Sum(sum) / width), Vector512.Create(Vector512.Sum(product) / width));
        var factor = Vector512.Create(inverse);
        for (var i = 0; i < width; i += 16)
        {
            var x = Normalized(row, i, mean, inverse);
            var g = (Vector512.Load(outward + i) * Vector512.Load(scale + i)) - meanG - (x * meanGx);
            Vector512.FusedMultiplyAdd(g, factor, Vector512.Load(inward + i)).Store(inward + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Normalized(float* row, int i, float mean, float inverse) =>
        (Vector512.Load(row + i) - Vector512.Create(mean)) * Vector512.Create(inverse);
}
