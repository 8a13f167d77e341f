using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace JepaSharp.Kernels;

/// <summary>Layer norm with scale and shift over rows of float32, forward and backward. Widths are multiples of 16.</summary>
internal static unsafe class LayerNormKernel
{
    /// <summary>One row's mean and 1 / √(variance + ε).</summary>
    public static (float Mean, float Inverse) Statistics(float* row, int width, float epsilon)
    {
        var (a, b) = (Vector512<float>.Zero, Vector512<float>.Zero);
        var i = 0;
        for (; i + 32 <= width; i += 32) (a, b) = (a + Vector512.Load(row + i), b + Vector512.Load(row + i + 16));
        if (i < width) a += Vector512.Load(row + i);
        var mean = Vector512.Sum(a + b) / width;
        var m = Vector512.Create(mean);
        (a, b) = (Vector512<float>.Zero, Vector512<float>.Zero);
        for (i = 0; i + 32 <= width; i += 32)
        {
            var (p, q) = (Vector512.Load(row + i) - m, Vector512.Load(row + i + 16) - m);
            (a, b) = (Vector512.FusedMultiplyAdd(p, p, a), Vector512.FusedMultiplyAdd(q, q, b));
        }

        if (i < width)
        {
            var p = Vector512.Load(row + i) - m;
            a = Vector512.FusedMultiplyAdd(p, p, a);
        }

        return (mean, 1 / MathF.Sqrt((Vector512.Sum(a + b) / width) + epsilon));
    }

    /// <summary>(x - mean) · inverse · scale + shift, in the products' format.</summary>
    public static void Apply<T>(float* row, int width, float mean, float inverse, float* scale, float* shift, byte* target)
        where T : struct, IElement
    {
        for (var i = 0; i < width; i += 16) T.Store(target + (i * (nint)T.Size), Normalized(row, i, mean, inverse) * Vector512.Load(scale + i) + Vector512.Load(shift + i));
    }

    /// <summary>(x - mean) · inverse, as float32.</summary>
    public static void Apply(float* row, int width, float mean, float inverse, float* target)
    {
        for (var i = 0; i < width; i += 16) Normalized(row, i, mean, inverse).Store(target + i);
    }

    /// <summary>Adds the gradient of the input to <paramref name="inward"/>, and this row's part of scale's and shift's gradients to theirs.</summary>
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
    private static Vector512<float> Normalized(float* row, int i, float mean, float inverse) => (Vector512.Load(row + i) - Vector512.Create(mean)) * Vector512.Create(inverse);
}
