namespace JepaSharp.Kernels.MachineCode;

/// <summary>The shapes of the eight tiles for every number of rows, as LDTILECFG reads them.</summary>
/// <remarks>
/// Intel SDM, volume 1, section 18.3: byte 0 the palette, 1; bytes 16 on, the bytes of a row of each tile, 2 bytes each; bytes 48 on, the rows of
/// each, a byte each; everything else zero. Rows of 64 bytes always; tiles of the right factor have 16 rows, those of sums and of the left factor as
/// many as there are.
/// </remarks>
internal static unsafe class AmxShapes
{
    /// <summary>Bytes of one.</summary>
    public const int Bytes = 64;

    /// <summary>Where the bytes of the tiles' rows are.</summary>
    public const int RowBytesAt = 16;

    /// <summary>Where the numbers of rows are.</summary>
    public const int RowsAt = 48;

    private const int Tiles = 8, MostRows = 32;
    private static readonly nint Placed = Place();

    /// <summary>For products of so many rows, 1 to 32.</summary>
    public static byte* For(int rows) => (byte*)Placed + (rows * Bytes);

    /// <summary>Writes those for <paramref name="rows"/> rows into 64 bytes.</summary>
    public static void Write(int rows, Span<byte> shapes)
    {
        shapes[..Bytes].Clear();
        shapes[0] = 1;
        for (var tile = 0; tile < Tiles; tile++)
        {
            shapes[RowBytesAt + (2 * tile)] = AmxProduct.RowBytes;
            shapes[RowsAt + tile] = AmxProduct.TileRows;
        }

        // Tiles that are not used, for 16 rows and fewer, stay whole: fewer shapes to change between.
        var (upper, lower) = (Math.Min(rows, AmxProduct.TileRows), rows > AmxProduct.TileRows ? rows - AmxProduct.TileRows : AmxProduct.TileRows);
        foreach (var tile in (ReadOnlySpan<int>)[0, 1, 4]) shapes[RowsAt + tile] = (byte)upper;
        foreach (var tile in (ReadOnlySpan<int>)[2, 3, 5]) shapes[RowsAt + tile] = (byte)lower;
    }

    private static nint Place()
    {
        var memory = MappedMemory.Take((MostRows + 1) * Bytes); // starts a page
        for (var rows = 1; rows <= MostRows; rows++) Write(rows, new Span<byte>((byte*)memory + (rows * Bytes), Bytes));
        return memory;
    }
}
