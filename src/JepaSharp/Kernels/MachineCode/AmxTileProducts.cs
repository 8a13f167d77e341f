using System.Runtime.CompilerServices;

namespace JepaSharp.Kernels.MachineCode;

/// <summary>Tile products of bfloat16 with Intel AMX: the same work as <see cref="TileProducts.Pairs"/>, in blocks of 32 rows.</summary>
/// <remarks>
/// Sums are added up in another order, a step of 32 numbers at a time, and numbers too small to be normal count as zero: results agree within
/// rounding, not to the bit. They depend neither on threads nor on which rows are taken together.
/// </remarks>
/// <param name="code">What runs the machine code.</param>
internal sealed unsafe class AmxTileProducts(IAmxCode code)
{
    /// <summary>What runs the machine code.</summary>
    public IAmxCode Code => code;

    private const int Block = 2 * AmxProduct.TileRows;
    private const int Stretch = 128;

    /// <inheritdoc cref="TileProducts.Run"/>
    public void Run(int rows, LeftLayout layout, TileEnd end, ref TileArguments arguments)
    {
        if (layout == LeftLayout.Panel) RunPanel(rows, end, arguments);
        else RunRows(rows, end, arguments);
    }

    /// <summary>A panel's columns, brought into tiles by <see cref="LeftTiles.Write"/> before, times another panel.</summary>
    /// <param name="rows">Rows of the result: columns of the left panel, up to 32.</param>
    /// <param name="end"><see cref="TileEnd.Store"/> or <see cref="TileEnd.Accumulate"/>.</param>
    /// <param name="arguments">As for other products; its left factor are the tiles.</param>
    [SkipLocalsInit]
    public void RunTiles(int rows, TileEnd end, in TileArguments arguments)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rows is >= 1 and <= Block, true, nameof(rows));
        ArgumentOutOfRangeException.ThrowIfNotEqual(end is TileEnd.Store or TileEnd.Accumulate, true, nameof(end));
        var memory = stackalloc byte[AmxSpace.Bytes + 63];
        var product = Begin(arguments, Aligned(memory));
        product.Shapes = AmxShapes.For(rows);
        product.LeftSecond = LeftTiles.Bytes(arguments.Words, halves: 1);
        product.ResultSecond = AmxProduct.TileRows * arguments.ResultStride;
        code.Multiply(Halves(rows), AmxLeft.Tiles, end, &product);
    }

    [SkipLocalsInit]
    private void RunRows(int rows, TileEnd end, in TileArguments arguments)
    {
        var memory = stackalloc byte[AmxSpace.Bytes + 63];
        var product = Begin(arguments, Aligned(memory));
        for (var row = 0; row < rows; row += Block)
        {
            var count = Math.Min(Block, rows - row);
            // A few rows left over are taken together with rows that are done already, so that the tiles' shapes stay: none but the new ones are
            // finished, and to store the others again changes nothing. To add to them again would.
            var again = count < AmxProduct.TileRows && row > 0 && end != TileEnd.Accumulate ? AmxProduct.TileRows - count : 0;
            Take(ref product, arguments, row, count, again, end is TileEnd.Store or TileEnd.Accumulate);
            code.Multiply(Halves(count + again), AmxLeft.Rows, end, &product);
        }
    }

    /// <summary>Sets the factors and places of rows <paramref name="row"/> and on, with some before them again.</summary>
    private static void Take(ref AmxArguments product, in TileArguments arguments, int row, int count, int again, bool isDirect)
    {
        var (first, all) = (row - again, count + again);
        // The second 16 rows end with the last row, wherever they begin: what both tiles hold comes out the same from both.
        var second = Math.Max(0, all - AmxProduct.TileRows);
        product.Tile.Left = arguments.Left + (first * arguments.LeftStride);
        product.Tile.Result = (byte*)arguments.Result + ((isDirect ? first : row) * arguments.ResultStride);
        product.Tile.Beside = (byte*)arguments.Beside + (row * arguments.ResultStride);
        product.Shapes = AmxShapes.For(all < AmxProduct.TileRows ? all : Block);
        product.LeftSecond = second * arguments.LeftStride;
        product.ResultSecond = second * (isDirect ? arguments.ResultStride : TileProduct.PanelStep);
        (product.LastRows, product.LastSecond) = (all, second * AmxProduct.RowBytes);
        product.Unfinished = product.Space + AmxSpace.Results + (again * TileProduct.PanelStep);
        product.UnfinishedRows = count;
    }

    [SkipLocalsInit]
    private void RunPanel(int rows, TileEnd end, in TileArguments arguments)
    {
        var memory = stackalloc byte[(2 * Stretch / AmxProduct.Step * AmxProduct.TileBytes) + 63];
        var tiles = Aligned(memory);
        nint word = 0;
        do
        {
            var some = arguments;
            some.Words = Math.Min(Stretch, arguments.Words - word);
            some.Right = arguments.Right + (word * TileProduct.PanelStep);
            LeftTiles.Write(code, arguments.Left + (word * TileProduct.PanelStep), some.Words, tiles, Halves(rows));
            some.Left = tiles;
            RunTiles(rows, word == 0 ? end : TileEnd.Accumulate, some);
            word += Stretch;
        }
        while (word < arguments.Words);
    }

    /// <summary>The arguments that all rows share, with the right factor's last words copied into a step of zeros.</summary>
    private static AmxArguments Begin(in TileArguments arguments, byte* space)
    {
        var product = new AmxArguments { Tile = arguments, Space = space, LastRight = space + AmxSpace.LastRight };
        var last = (int)(arguments.Words % AmxProduct.Step);
        if (last == 0) return product;
        product.LastMask = (1 << last) - 1;
        const int Bytes = AmxProduct.Step * TileProduct.PanelStep;
        var copied = last * TileProduct.PanelStep;
        Buffer.MemoryCopy(arguments.Right + ((arguments.Words - last) * TileProduct.PanelStep), product.LastRight, Bytes, copied);
        new Span<byte>(product.LastRight + copied, Bytes - copied).Clear();
        return product;
    }

    private static int Halves(int rows) => rows > AmxProduct.TileRows ? 2 : 1;

    private static byte* Aligned(byte* memory) => (byte*)(((nint)memory + 63) & ~(nint)63);
}
