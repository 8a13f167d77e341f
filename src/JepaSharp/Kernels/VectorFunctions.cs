using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace JepaSharp.Kernels;

/// <summary>Functions of 16 floats at a time.</summary>
internal static class VectorFunctions
{
    /// <summary>eˣ, relative error below 2e-7; 0 below -104.</summary>
    /// <remarks>x = n ln 2 + r with |r| ≤ ln 2 / 2, ln 2 in two parts (Cody and Waite); eʳ by its Taylor polynomial of degree 7; scaled by 2ⁿ.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        x = Vector512.Max(x, Vector512.Create(-104f));
        var n = Avx512F.RoundScale(x * Vector512.Create(1.442695041f), 0);
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-0.693145752f), x);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-1.42860677e-6f), r);
        var p = Vector512.Create(1f / 5040);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 720));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 120));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 24));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 6));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(0.5f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512<float>.One);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512<float>.One);
        return Avx512F.Scale(p, n);
    }

    /// <summary>GELU, x Φ(x), and its slope, Φ(x) + x φ(x); Φ and φ are the normal distribution and its density. Absolute error of Φ below 2e-7.</summary>
    /// <remarks>
    /// Hendrycks and Gimpel, 2016. The error function is Abramowitz and Stegun's 7.1.26, which needs e to the minus z² with z = x / √2: the
    /// same exponential that the density needs.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Gelu(Vector512<float> x, out Vector512<float> slope)
    {
        var z = Vector512.Abs(x) * Vector512.Create(0.70710678f);
        var t = Vector512<float>.One / Vector512.FusedMultiplyAdd(z, Vector512.Create(0.3275911f), Vector512<float>.One);
        var bell = Exp(-(z * z));
        var p = Vector512.Create(1.061405429f);
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(-1.453152027f));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(1.421413741f));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(-0.284496736f));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(0.254829592f));
        // Φ(-|x|) = erfc(z) / 2; on the other side 1 minus that.
        var tail = p * t * bell * Vector512.Create(0.5f);
        var below = Vector512.LessThan(x, Vector512<float>.Zero);
        var phi = Vector512.ConditionalSelect(below, tail, Vector512<float>.One - tail);
        slope = Vector512.FusedMultiplyAdd(x * Vector512.Create(0.39894228f), bell, phi);
        return x * phi;
    }
}
