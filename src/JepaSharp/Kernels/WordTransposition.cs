using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace JepaSharp.Kernels;

/// <summary>16 x 16 words of 4 bytes, from row to column.</summary>
internal static unsafe class WordTransposition
{
    /// <summary>Sixteen rows of 64 bytes, <paramref name="stride"/> bytes apart, to sixteen <paramref name="step"/> bytes apart.</summary>
    public static void Run(byte* from, nint stride, byte* to, nint step)
    {
        if (Avx512F.IsSupported)
        {
            Wide(from, stride, to, step);
            return;
        }

        for (var row = 0; row < 16; row += 8)
        {
            for (var column = 0; column < 16; column += 8)
                Eight(from + (row * stride) + (4 * column), stride, to + (column * step) + (4 * row), step);
        }
    }

    /// <summary>With 512-bit vectors.</summary>
    private static void Wide(byte* from, nint stride, byte* to, nint step)
    {
        // Pairs, then fours, within 128-bit lanes: in q the words of four rows, quarter by quarter.
        var (a0, a1, a2, a3) = Fours(from, stride);
        var (b0, b1, b2, b3) = Fours(from + (4 * stride), stride);
        var (c0, c1, c2, c3) = Fours(from + (8 * stride), stride);
        var (d0, d1, d2, d3) = Fours(from + (12 * stride), stride);

        // Then the lanes themselves: lane j of row group g goes to lane g of column group j.
        Lanes(a0, b0, c0, d0, to, step);
        Lanes(a1, b1, c1, d1, to + step, step);
        Lanes(a2, b2, c2, d2, to + (2 * step), step);
        Lanes(a3, b3, c3, d3, to + (3 * step), step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<uint> A, Vector512<uint> B, Vector512<uint> C, Vector512<uint> D) Fours(byte* from, nint stride)
    {
        Vector512<uint> i = Vector512.Load((uint*)from), j = Vector512.Load((uint*)(from + stride));
        Vector512<uint> k = Vector512.Load((uint*)(from + (2 * stride))), l = Vector512.Load((uint*)(from + (3 * stride)));
        var (p, q) = (Avx512F.UnpackLow(i, j).AsUInt64(), Avx512F.UnpackHigh(i, j).AsUInt64());
        var (r, s) = (Avx512F.UnpackLow(k, l).AsUInt64(), Avx512F.UnpackHigh(k, l).AsUInt64());
        return (Avx512F.UnpackLow(p, r).AsUInt32(), Avx512F.UnpackHigh(p, r).AsUInt32(), Avx512F.UnpackLow(q, s).AsUInt32(),
            Avx512F.UnpackHigh(q, s).AsUInt32());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Lanes(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c, Vector512<uint> d, byte* to, nint step)
    {
        var (p, q) = (Avx512F.Shuffle4x128(a, b, 0x88), Avx512F.Shuffle4x128(a, b, 0xDD));
        var (r, s) = (Avx512F.Shuffle4x128(c, d, 0x88), Avx512F.Shuffle4x128(c, d, 0xDD));
        Avx512F.Shuffle4x128(p, r, 0x88).Store((uint*)to);
        Avx512F.Shuffle4x128(q, s, 0x88).Store((uint*)(to + (4 * step)));
        Avx512F.Shuffle4x128(p, r, 0xDD).Store((uint*)(to + (8 * step)));
        Avx512F.Shuffle4x128(q, s, 0xDD).Store((uint*)(to + (12 * step)));
    }

    /// <summary>8 x 8 words, with 256-bit vectors.</summary>
    private static void Eight(byte* from, nint stride, byte* to, nint step)
    {
        var (a0, a1, a2, a3) = NarrowFours(from, stride);
        var (b0, b1, b2, b3) = NarrowFours(from + (4 * stride), stride);
        Halves(a0, b0, to, step);
        Halves(a1, b1, to + step, step);
        Halves(a2, b2, to + (2 * step), step);
        Halves(a3, b3, to + (3 * step), step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<uint> A, Vector256<uint> B, Vector256<uint> C, Vector256<uint> D) NarrowFours(byte* from, nint stride)
    {
        Vector256<uint> i = Vector256.Load((uint*)from), j = Vector256.Load((uint*)(from + stride));
        Vector256<uint> k = Vector256.Load((uint*)(from + (2 * stride))), l = Vector256.Load((uint*)(from + (3 * stride)));
        var (p, q) = (Avx2.UnpackLow(i, j).AsUInt64(), Avx2.UnpackHigh(i, j).AsUInt64());
        var (r, s) = (Avx2.UnpackLow(k, l).AsUInt64(), Avx2.UnpackHigh(k, l).AsUInt64());
        return (Avx2.UnpackLow(p, r).AsUInt32(), Avx2.UnpackHigh(p, r).AsUInt32(), Avx2.UnpackLow(q, s).AsUInt32(),
            Avx2.UnpackHigh(q, s).AsUInt32());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Halves(Vector256<uint> a, Vector256<uint> b, byte* to, nint step)
    {
        Avx2.Permute2x128(a, b, 0x20).Store((uint*)to);
        Avx2.Permute2x128(a, b, 0x31).Store((uint*)(to + (4 * step)));
    }
}
