using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace JepaSharp.Kernels;

/// <summary>Operations on 16 lanes for which .NET has an intrinsic with AVX-512 alone, and their two halves for AVX2.</summary>
/// <remarks>Which of the two is settled when the code is compiled for the processor: nothing is asked at run time. Both give the same bits.</remarks>
internal static unsafe class SixteenLanes
{
    /// <summary>The greater of a and b; b where one of them is no number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Greatest(Vector512<float> a, Vector512<float> b) => Avx512F.IsSupported ? Avx512F.Max(a, b)
        : Vector512.Create(Avx.Max(a.GetLower(), b.GetLower()), Avx.Max(a.GetUpper(), b.GetUpper()));

    /// <summary>The lesser of a and b; b where one of them is no number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Least(Vector512<float> a, Vector512<float> b) => Avx512F.IsSupported ? Avx512F.Min(a, b)
        : Vector512.Create(Avx.Min(a.GetLower(), b.GetLower()), Avx.Min(a.GetUpper(), b.GetUpper()));

    /// <summary>The nearest whole numbers, ties to even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Nearest(Vector512<float> x) => Avx512F.IsSupported ? Avx512F.RoundScale(x, 0)
        : Vector512.Create(Avx.RoundToNearestInteger(x.GetLower()), Avx.RoundToNearestInteger(x.GetUpper()));

    /// <summary>x 2ⁿ for whole n from -252 to 254, rounded once where it is too small for a normal number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Scale(Vector512<float> x, Vector512<float> n) => Avx512F.IsSupported ? Avx512F.Scale(x, n)
        : Vector512.Create(Scale(x.GetLower(), n.GetLower()), Scale(x.GetUpper(), n.GetUpper()));

    /// <summary>16 numbers of 2 bytes, each in a lane of 4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Widened(ushort* source) => Avx512F.IsSupported ? Avx512F.ConvertToVector512UInt32(Vector256.Load(source))
        : Vector512.Create(
            Avx2.ConvertToVector256Int32(Vector128.Load(source)).AsUInt32(), Avx2.ConvertToVector256Int32(Vector128.Load(source + 8)).AsUInt32());

    /// <summary>The lower 2 bytes of 16 lanes of 4 whose upper 2 are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ushort> Narrowed(Vector512<uint> lanes) => Avx512F.IsSupported ? Avx512F.ConvertToVector256UInt16(lanes)
        : Avx2.Permute4x64(Avx2.PackUnsignedSaturate(lanes.GetLower().AsInt32(), lanes.GetUpper().AsInt32()).AsUInt64(), 0b11_01_10_00).AsUInt16();

    /// <summary>By two powers of two, each a normal number; a product that is too small is rounded by the second alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Scale(Vector256<float> x, Vector256<float> n)
    {
        var whole = Avx.ConvertToVector256Int32(n);
        var half = Avx2.ShiftRightArithmetic(whole, 1);
        return x * Power(half) * Power(whole - half);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector256<float> Power(Vector256<int> exponent) => Avx2.ShiftLeftLogical(exponent + Vector256.Create(127), 23).AsSingle();
    }
}
