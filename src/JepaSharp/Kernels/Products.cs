using System.Runtime.Intrinsics;
using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Kernels;

/// <summary>What is done with 32 columns of a product while they are still in the nearest cache.</summary>
internal unsafe interface IPanelEnd
{
    /// <summary>Which machine code does the same to the 32 columns from <paramref name="column"/> on while they are in registers; null where none
    /// does.</summary>
    /// <param name="column">First column.</param>
    /// <param name="arguments">Is told where the code finds and leaves what, from the first row on.</param>
    TileEnd? Fuse(int column, ref TileArguments arguments);

    /// <summary>Takes results [rows, 32] of columns <paramref name="column"/> and on.</summary>
    /// <param name="tile">float32, row by row, 32 a row.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="column">First column.</param>
    /// <param name="width">Columns that count: 16 or 32.</param>
    void Take(float* tile, int rows, int column, int width);
}

/// <summary>Matrix products on one thread.</summary>
internal static unsafe class Products
{
    private const int Columns = TileProduct.Columns;

    /// <summary>Rows times a packed matrix, panel by panel; what comes out goes to <paramref name="end"/>.</summary>
    /// <param name="left">Numbers [rows, ...], row by row.</param>
    /// <param name="leftStride">Bytes between rows.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="right">Packed matrix of <paramref name="columns"/> columns.</param>
    /// <param name="words">Words to sum over, and of a whole panel.</param>
    /// <param name="columns">Columns: a multiple of 16.</param>
    /// <param name="tile">Working memory [rows, 32].</param>
    /// <param name="end">What to do with the results.</param>
    /// <param name="scratch">Working memory for rows that have to be widened: they are, once for all panels.</param>
    public static void Multiply<T, TEnd>(
        byte* left, nint leftStride, int rows, byte* right, nint words, int columns, float* tile, TEnd end, Scratch scratch)
        where T : struct, IElement
        where TEnd : struct, IPanelEnd
    {
        var mark = scratch.Mark;
        if (IElement.IsWidened<T>())
        {
            var stride = (words + 15) & ~15;
            var wide = scratch.TakeFloats(rows * stride);
            for (var r = 0; r < rows; r++)
            {
                for (nint i = 0; i < stride; i += 16) T.Load(left + (r * leftStride) + (i * T.Size)).Store(wide + (r * stride) + i);
            }

            left = (byte*)wide;
            leftStride = stride * sizeof(float);
        }

        for (var column = 0; column < columns; column += Columns)
        {
            var arguments = new TileArguments
            {
                Left = left,
                LeftStride = leftStride,
                Right = right
                + (column / Columns * words * TileProduct.PanelStep),
                Words = words
            };
            if (columns - column >= Columns && end.Fuse(column, ref arguments) is { } fused && T.Tiles.Has(fused))
            {
                T.Tiles.Run(rows, LeftLayout.Rows, fused, ref arguments);
                continue;
            }

            Panel<T>(left, leftStride, rows, right + (column / Columns * words * TileProduct.PanelStep), words, tile, Columns);
            end.Take(tile, rows, column, Math.Min(Columns, columns - column));
        }

        scratch.Return(mark);
    }

    /// <summary>Rows times one panel: result [rows, 32] float32.</summary>
    public static void Panel<T>(
        byte* left, nint leftStride, int rows, byte* panel, nint words, float* result, nint resultStride, bool accumulate = false)
        where T : struct, IElement
    {
        var arguments = new TileArguments
        {
            Left = left,
            LeftStride = leftStride,
            Right = panel,
            Words = words,
            Result = result,
            ResultStride = resultStride * sizeof(float)
        };
        T.Tiles.Run(rows, LeftLayout.Rows, accumulate ? TileEnd.Accumulate : TileEnd.Store, ref arguments);
    }

    /// <summary>A panel's columns, transposed, times another panel: result [rows, 32], rows up to 32, summed over the panels' words.</summary>
    /// <param name="left">The panel, or its columns in tiles: see <paramref name="isTiles"/>.</param>
    /// <param name="rows">Columns of it that count.</param>
    /// <param name="right">The other panel.</param>
    /// <param name="words">Words of both.</param>
    /// <param name="result">First row of the result.</param>
    /// <param name="resultStride">Numbers between its rows.</param>
    /// <param name="accumulate">Whether the result is added to.</param>
    /// <param name="isTiles">Whether the left factor was brought into tiles by <see cref="LeftTiles.Write"/>; only with AMX.</param>
    public static void PanelByPanel<T>(
        byte* left, int rows, byte* right, nint words, float* result, nint resultStride, bool accumulate, bool isTiles = false)
        where T : struct, IElement
    {
        var arguments = new TileArguments { Left = left, Right = right, Words = words, Result = result, ResultStride = resultStride * sizeof(float) };
        var end = accumulate ? TileEnd.Accumulate : TileEnd.Store;
        if (isTiles) T.Tiles.Amx!.RunTiles(rows, end, arguments);
        else T.Tiles.Run(rows, LeftLayout.Panel, end, ref arguments);
    }
}
