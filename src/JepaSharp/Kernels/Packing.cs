using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Kernels;

/// <summary>Brings matrices into the panels that tile products read: for each word, 32 columns side by side.</summary>
/// <remarks>A matrix of C columns fills ⌈C / 32⌉ panels of <c>words · 128</c> bytes, one after the other; what is missing in the last is
/// zero.</remarks>
internal static unsafe class Packing
{
    private const int Columns = TileProduct.Columns;

    /// <summary>Panels for so many columns.</summary>
    public static int Panels(int columns) => (columns + Columns - 1) / Columns;

    /// <summary>Words for so many numbers along the dimension that is summed over.</summary>
    public static int Words<T>(int numbers)
        where T : struct, IElement => (numbers + T.PerWord - 1) / T.PerWord;

    /// <summary>Bytes of a packed matrix.</summary>
    public static nint Bytes(int columns, nint words) => Panels(columns) * words * TileProduct.PanelStep;

    /// <summary>The rows are summed over: neighbouring rows share words. Source [rows, columns] of numbers; columns a multiple of 16.</summary>
    /// <param name="source">First row.</param>
    /// <param name="stride">Bytes between rows.</param>
    /// <param name="rows">Rows; a last odd one is paired with zeros.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="target">First panel, at the first word to write.</param>
    /// <param name="words">Words of a whole panel.</param>
    public static void Rows<T>(byte* source, nint stride, int rows, int columns, byte* target, nint words)
        where T : struct, IElement
    {
        var zeros = stackalloc byte[64];
        new Span<byte>(zeros, 64).Clear();
        for (var column = 0; column < columns; column += 16)
        {
            var to = target + (column / Columns * words * TileProduct.PanelStep) + (column % Columns * 4);
            var from = source + (column * (nint)T.Size);
            var row = 0;
            for (; row + T.PerWord <= rows; row += T.PerWord, from += stride * T.PerWord, to += TileProduct.PanelStep)
                T.Words(from, from + stride).Store((uint*)to);
            if (row < rows) T.Words(from, zeros).Store((uint*)to);
        }

        ClearRest(columns, Words<T>(rows), target, words);
    }

    /// <summary>The same from float32 rows, rounded on the way.</summary>
    public static void FloatRows<T>(float* source, nint stride, int rows, int columns, byte* target, nint words)
        where T : struct, IElement
    {
        for (var column = 0; column < columns; column += 16)
        {
            var to = target + (column / Columns * words * TileProduct.PanelStep) + (column % Columns * 4);
            var from = source + column;
            var row = 0;
            for (; row + T.PerWord <= rows; row += T.PerWord, from += stride * T.PerWord, to += TileProduct.PanelStep)
                T.Words(Vector512.Load(from), Vector512.Load(from + ((T.PerWord - 1) * stride))).Store((uint*)to);
            if (row < rows) T.Words(Vector512.Load(from), Vector512<float>.Zero).Store((uint*)to);
        }

        ClearRest(columns, Words<T>(rows), target, words);
    }

    /// <summary>The columns are summed over: the source's rows become the panels' columns. Source [rows, words] of whole words.</summary>
    /// <param name="source">First row.</param>
    /// <param name="stride">Bytes between rows.</param>
    /// <param name="rows">Rows: columns of the packed matrix.</param>
    /// <param name="words">Words of a row: a multiple of 8, the words of a whole panel.</param>
    /// <param name="target">First panel.</param>
    public static void Transposed(byte* source, nint stride, int rows, int words, byte* target)
    {
        // Where there are not sixteen rows of sixteen words any more, they are copied and filled up with zeros first.
        var filled = stackalloc Vector512<uint>[16];
        var spare = stackalloc Vector512<uint>[16];
        for (var first = 0; first < Panels(rows) * Columns; first += 16)
        {
            var to = target + (first / Columns * (nint)words * TileProduct.PanelStep) + (first % Columns * 4);
            for (var word = 0; word < words; word += 16, to += 16 * TileProduct.PanelStep)
            {
                var from = source + (first * stride) + (word * 4);
                var count = Math.Min(16, words - word);
                if (count == 16 && first + 16 <= rows)
                {
                    Transpose(from, stride, to, TileProduct.PanelStep);
                    continue;
                }

                for (var r = 0; r < 16; r++)
                {
                    filled[r] = first + r >= rows ? Vector512<uint>.Zero
                        : count == 16 ? Vector512.Load((uint*)(from + (r * stride)))
                        : Vector512.Create(Vector256.Load((uint*)(from + (r * stride))), Vector256<uint>.Zero);
                }

                Transpose((byte*)filled, 64, (byte*)spare, 64);
                for (var w = 0; w < count; w++) spare[w].Store((uint*)(to + (w * TileProduct.PanelStep)));
            }
        }
    }

    /// <summary>16 x 16 words from row to column: sixteen vectors <paramref name="stride"/> bytes apart to sixteen <paramref name="step"/> bytes
    /// apart.</summary>
    private static void Transpose(byte* from, nint stride, byte* to, nint step)
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ClearRest(int columns, int rows, byte* target, nint words)
    {
        var used = columns % Columns;
        if (used == 0) return;
        var to = target + (columns / Columns * words * TileProduct.PanelStep) + (used * 4);
        for (var r = 0; r < rows; r++) new Span<byte>(to + (r * (nint)TileProduct.PanelStep), (Columns - used) * 4).Clear();
    }
}
