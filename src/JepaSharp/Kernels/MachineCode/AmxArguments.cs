namespace JepaSharp.Kernels.MachineCode;

/// <summary>How the left factor of an AMX product lies in memory.</summary>
internal enum AmxLeft
{
    /// <summary>Row by row: word k of row r is at r · stride + 4 k bytes.</summary>
    Rows,

    /// <summary>In tiles of 16 rows by 16 words, 1 KiB each, one after the other along the words; what is missing in the last is zero.</summary>
    Tiles,
}

/// <summary>What an AMX product of up to 32 x 32 results is given, in the order in which the machine code reads it.</summary>
internal unsafe struct AmxArguments
{
    /// <summary>As for other tile products; its result and beside are those of the first row to finish. Changed by the ends.</summary>
    public TileArguments Tile;

    /// <summary>The shapes of the tiles, 64 bytes: see <see cref="AmxShapes"/>.</summary>
    public byte* Shapes;

    /// <summary>Working memory: see <see cref="AmxSpace"/>.</summary>
    public byte* Space;

    /// <summary>Bytes from the left factor's first 16 rows to its second.</summary>
    public nint LeftSecond;

    /// <summary>Bytes from the first 16 rows of results to the second, where the tiles are stored.</summary>
    public nint ResultSecond;

    /// <summary>For the words that fill no step any more: the right factor's, filled up with zeros to 16 words.</summary>
    public byte* LastRight;

    /// <summary>Which of a step's 16 words these are: a bit for each.</summary>
    public nint LastMask;

    /// <summary>Rows of the left factor whose last words are copied.</summary>
    public nint LastRows;

    /// <summary>Bytes from the first 16 of these rows to the second, once copied.</summary>
    public nint LastSecond;

    /// <summary>In the working memory: the first row of results to finish.</summary>
    public byte* Unfinished;

    /// <summary>Rows to finish.</summary>
    public nint UnfinishedRows;
}

/// <summary>Where the machine code finds the members of <see cref="AmxArguments"/>.</summary>
internal static class AmxOffset
{
    public const int Left = 0, LeftStride = 8, Right = 16, Words = 24, Result = 32, ResultStride = 40, Beside = 64;
    public const int Shapes = 80, Space = 88, LeftSecond = 96, ResultSecond = 104, LastRight = 112, LastMask = 120, LastRows = 128;
    public const int LastSecond = 136, Unfinished = 144, UnfinishedRows = 152;
}

/// <summary>What lies where in an AMX product's working memory: 8 KiB and a little, in the nearest cache. It begins at a multiple of 64
/// bytes.</summary>
internal static class AmxSpace
{
    /// <summary>The shapes as they are, 64 bytes.</summary>
    public const int Shapes = 0;

    /// <summary>Results [32, 32] float32.</summary>
    public const int Results = 64;

    /// <summary>The left factor's last words, [32] rows of 16 words.</summary>
    public const int LastLeft = Results + (32 * TileProduct.PanelStep);

    /// <summary>The right factor's last words, [16, 32].</summary>
    public const int LastRight = LastLeft + (32 * AmxProduct.RowBytes);

    /// <summary>All of it.</summary>
    public const int Bytes = LastRight + (AmxProduct.Step * TileProduct.PanelStep);
}
