using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
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

    /// <summary>The columns are summed over: the source's rows become the panels' columns. Source [rows, words] of whole words, or of numbers to be
    /// widened to words.</summary>
    /// <param name="source">First row.</param>
    /// <param name="stride">Bytes between rows.</param>
    /// <param name="rows">Rows: columns of the packed matrix.</param>
    /// <param name="words">Words of a row: a multiple of 8, the words of a whole panel.</param>
    /// <param name="target">First panel.</param>
    public static void Transposed<T>(byte* source, nint stride, int rows, int words, byte* target)
        where T : struct, IElement
    {
        // Where there are not sixteen rows of sixteen words any more, they are copied and filled up with zeros first.
        var filled = stackalloc Vector512<uint>[16];
        var spare = stackalloc Vector512<uint>[16];
        for (var first = 0; first < Panels(rows) * Columns; first += 16)
        {
            var to = target + (first / Columns * (nint)words * TileProduct.PanelStep) + (first % Columns * 4);
            for (var word = 0; word < words; word += 16, to += 16 * TileProduct.PanelStep)
            {
                var from = source + (first * stride) + (word * T.Size * T.PerWord);
                var count = Math.Min(16, words - word);
                if (count == 16 && first + 16 <= rows && !IElement.IsWidened<T>())
                {
                    WordTransposition.Run(from, stride, to, TileProduct.PanelStep);
                    continue;
                }

                for (var r = 0; r < 16; r++)
                {
                    filled[r] = first + r >= rows ? Vector512<uint>.Zero
                        : IElement.IsWidened<T>() ? T.Load(from + (r * stride)).AsUInt32()
                        : count == 16 ? Vector512.Load((uint*)(from + (r * stride)))
                        : Vector512.Create(Vector256.Load((uint*)(from + (r * stride))), Vector256<uint>.Zero);
                }

                WordTransposition.Run((byte*)filled, 64, (byte*)spare, 64);
                for (var w = 0; w < count; w++) spare[w].Store((uint*)(to + (w * TileProduct.PanelStep)));
            }
        }
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
