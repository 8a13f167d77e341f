using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace JepaSharp.Kernels;

/// <summary>Functions of 16 floats at a time.</summary>
internal static class VectorFunctions
{
    private const float ShortRange = 4.4f;

    // Φ(x) - 1/2 over x, a polynomial in x², highest power first.
    private const float Phi9 = -2.02453266e-12f, Phi8 = 2.28517884e-10f, Phi7 = -1.15376174e-08f, Phi6 = 3.474004e-07f, Phi5 = -7.04542532e-06f;
    private const float Phi4 = 0.000103386076f, Phi3 = -0.00114957887f, Phi2 = 0.00990707273f, Phi1 = -0.0664360019f, Phi0 = 0.398929113f;

    /// <summary>to += from, so many numbers: a multiple of 16.</summary>
    public static unsafe void Add(float* from, float* to, nint count)
    {
        for (nint i = 0; i < count; i += 16) (Vector512.Load(to + i) + Vector512.Load(from + i)).Store(to + i);
    }

    /// <summary>The sums of four vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sums(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        var (p, q, r, s) = (Quarter(a), Quarter(b), Quarter(c), Quarter(d));
        var (low, high) = (Sse.UnpackLow(p, q) + Sse.UnpackHigh(p, q), Sse.UnpackLow(r, s) + Sse.UnpackHigh(r, s));
        return Sse.MoveLowToHigh(low, high) + Sse.MoveHighToLow(high, low);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector128<float> Quarter(Vector512<float> v)
        {
            var half = v.GetLower() + v.GetUpper();
            return half.GetLower() + half.GetUpper();
        }
    }

    /// <summary>The largest numbers of four vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Largest(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        var (p, q, r, s) = (Quarter(a), Quarter(b), Quarter(c), Quarter(d));
        var (low, high) = (Sse.Max(Sse.UnpackLow(p, q), Sse.UnpackHigh(p, q)), Sse.Max(Sse.UnpackLow(r, s), Sse.UnpackHigh(r, s)));
        return Sse.Max(Sse.MoveLowToHigh(low, high), Sse.MoveHighToLow(high, low));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector128<float> Quarter(Vector512<float> v)
        {
            var half = Avx.Max(v.GetLower(), v.GetUpper());
            return Sse.Max(half.GetLower(), half.GetUpper());
        }
    }

    /// <summary>eˣ, relative error below 2e-7; 0 below -104.</summary>
    /// <remarks>x = n ln 2 + r with |r| ≤ ln 2 / 2, ln 2 in two parts (Cody and Waite); eʳ by its Taylor polynomial of degree 7; scaled by
    /// 2ⁿ.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        x = Vector512.Max(x, Vector512.Create(-104f));
        var n = SixteenLanes.Nearest(x * Vector512.Create(1.442695041f));
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
        return SixteenLanes.Scale(p, n);
    }

    /// <summary>GELU, x Φ(x), and its slope, Φ(x) + x φ(x); Φ and φ are the normal distribution and its density. Absolute error of Φ below
    /// 2e-7.</summary>
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

    /// <summary>2ˣ, relative error below 3e-6: enough for what is rounded to bfloat16. 0 below -150.</summary>
    /// <remarks>x = n + f with |f| ≤ 1/2; 2ᶠ by a polynomial of degree 4, fitted for the least relative error; scaled by 2ⁿ.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ShortExp2(Vector512<float> x)
    {
        x = SixteenLanes.Greatest(Vector512.Create(-150f), x); // in this order, so that a number that is none stays so
        var n = SixteenLanes.Nearest(x);
        var f = x - n;
        var p = Vector512.Create(0.00957009627f);
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(0.0559178599f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(0.24024745f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(0.693121815f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(0.999999261f));
        return SixteenLanes.Scale(p, n);
    }

    /// <summary>GELU for what is rounded to bfloat16: absolute error below 3e-5 up to 4.4, relative error below 6e-6 above.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ShortGelu(Vector512<float> x)
    {
        var inside = Inside(x);
        return SixteenLanes.Greatest(Vector512.Create(-ShortRange), x) * ShortPhi(inside, inside * inside);
    }

    /// <summary>The same, and its slope with an absolute error below 1e-4.</summary>
    /// <remarks>
    /// Neither exponential nor division: Φ(x) - 1/2 is x times a polynomial in x², and φ(x) another, both of degree 9 over |x| ≤ 4.4, fitted for the
    /// least largest error of Φ(x) and of x φ(x). Outside, GELU is taken for 0 or x.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ShortGelu(Vector512<float> x, out Vector512<float> slope)
    {
        var inside = Inside(x);
        var u = inside * inside;
        var phi = ShortPhi(inside, u);
        var p = Vector512.Create(-2.43617515e-11f);
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(2.66919417e-09f));
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(-1.29148043e-07f));
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(3.65300984e-06f));
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(-6.74767145e-05f));
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(0.000860625627f));
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(-0.0077634942f));
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(0.0489181216f));
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(-0.198704927f));
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(0.398759083f));
        slope = Vector512.FusedMultiplyAdd(inside, p, phi);
        return SixteenLanes.Greatest(Vector512.Create(-ShortRange), x) * phi;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Inside(Vector512<float> x) =>
        SixteenLanes.Least(Vector512.Create(ShortRange), SixteenLanes.Greatest(Vector512.Create(-ShortRange), x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> ShortPhi(Vector512<float> x, Vector512<float> u)
    {
        var p = Vector512.Create(Phi9);
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(Phi8));
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(Phi7));
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(Phi6));
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(Phi5));
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(Phi4));
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(Phi3));
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(Phi2));
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(Phi1));
        p = Vector512.FusedMultiplyAdd(p, u, Vector512.Create(Phi0));
        return Vector512.FusedMultiplyAdd(x, p, Vector512.Create(0.5f));
    }

    /// <summary>The numbers of <see cref="ShortGelu(Vector512{float})"/>, in memory for machine code.</summary>
    internal static unsafe class GeluConstants
    {
        /// <summary>Coefficients, highest power first; they come first.</summary>
        public const int Degrees = 10;

        /// <summary>Places of 1/2 and of the range's ends.</summary>
        public const int Half = Degrees, Lowest = Degrees + 1, Highest = Degrees + 2;

        /// <summary>The first.</summary>
        public static float* Values { get; } = Placed([Phi9, Phi8, Phi7, Phi6, Phi5, Phi4, Phi3, Phi2, Phi1, Phi0, 0.5f, -ShortRange, ShortRange]);

        private static float* Placed(ReadOnlySpan<float> values)
        {
            var memory = (float*)System.Runtime.InteropServices.NativeMemory.AlignedAlloc((nuint)(values.Length * sizeof(float)), 64);
            values.CopyTo(new Span<float>(memory, values.Length));
            return memory;
        }
    }
}
