using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Kernels;

/// <summary>What is done with 32 columns of a product while they are still in the nearest cache.</summary>
internal unsafe interface IPanelEnd
{
    /// <summary>The machine code that does the same to 32 columns while they are in registers; null where there is none.</summary>
    TileEnd? Fused { get; }

    /// <summary>Tells <see cref="Fused"/> where to, from the first row on.</summary>
    void Address(int column, ref TileArguments arguments);

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
    public static void Multiply<T, TEnd>(byte* left, nint leftStride, int rows, byte* right, nint words, int columns, float* tile, TEnd end)
        where T : struct, IElement
        where TEnd : struct, IPanelEnd
    {
        for (var column = 0; column < columns; column += Columns)
        {
            if (end.Fused is { } fused && columns - column >= Columns)
            {
                var arguments = new TileArguments { LeftStride = leftStride, Right = right + (column / Columns * words * TileProduct.PanelStep), Words = words };
                end.Address(column, ref arguments);
                Rows<T>(left, rows, fused, ref arguments);
                continue;
            }

            Panel<T>(left, leftStride, rows, right + (column / Columns * words * TileProduct.PanelStep), words, tile, Columns);
            end.Take(tile, rows, column, Math.Min(Columns, columns - column));
        }
    }

    /// <summary>Rows times one panel: result [rows, 32] float32.</summary>
    public static void Panel<T>(byte* left, nint leftStride, int rows, byte* panel, nint words, float* result, nint resultStride, bool accumulate = false)
        where T : struct, IElement
    {
        var arguments = new TileArguments { LeftStride = leftStride, Right = panel, Words = words, Result = result, ResultStride = resultStride * sizeof(float) };
        Rows<T>(left, rows, accumulate ? TileEnd.Accumulate : TileEnd.Store, ref arguments);
    }

    /// <summary>Tile after tile; the arguments are those of the first.</summary>
    private static void Rows<T>(byte* left, int rows, TileEnd end, ref TileArguments arguments)
        where T : struct, IElement
    {
        var tile = arguments;
        var tiles = T.Tiles;
        for (int row = 0, left0 = TileCount(rows); row < rows; left0--)
        {
            var count = (rows - row + left0 - 1) / left0; // as equal as can be: a tile of two rows would take nearly as long as one of six
            tile.Left = left + (row * tile.LeftStride);
            tile.Result = (byte*)arguments.Result + (row * tile.ResultStride);
            tile.Beside = (byte*)arguments.Beside + (row * tile.ResultStride);
            tiles.Run(count, LeftLayout.Rows, end, &tile);
            row += count;
        }
    }

    /// <summary>A panel's columns, transposed, times another panel: result [rows, 32], rows up to 32, summed over the panels' words.</summary>
    public static void PanelByPanel<T>(byte* left, int rows, byte* right, nint words, float* result, nint resultStride, bool accumulate)
        where T : struct, IElement
    {
        var arguments = new TileArguments { Right = right, Words = words, ResultStride = resultStride * sizeof(float) };
        var tiles = T.Tiles;
        for (int row = 0, left0 = TileCount(rows); row < rows; left0--)
        {
            var count = (rows - row + left0 - 1) / left0;
            arguments.Left = left + (row * sizeof(float));
            arguments.Result = result + (row * resultStride);
            tiles.Run(count, LeftLayout.Panel, accumulate ? TileEnd.Accumulate : TileEnd.Store, &arguments);
            row += count;
        }
    }

    private static int TileCount(int rows) => (rows + TileProduct.MaxRows - 1) / TileProduct.MaxRows;
}
