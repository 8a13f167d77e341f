namespace JepaSharp.Kernels.MachineCode;

/// <summary>What the routine that transposes words is given, in the order in which the machine code reads it.</summary>
internal unsafe struct TransposeArguments
{
    /// <summary>Blocks of 16 rows of 16 words, rows <see cref="TileProduct.PanelStep"/> bytes apart, one below the other.</summary>
    public byte* From;

    /// <summary>As many tiles, one after the other: row r is column r of the block.</summary>
    public byte* To;

    /// <summary>Blocks, at least one.</summary>
    public nint Blocks;
}

/// <summary>Brings the columns of a panel into the rows of tiles: a left factor for <see cref="AmxProduct"/>, for gradients of weights.</summary>
/// <remarks>
/// The product wants one factor by rows, and tokens are packed with their numbers side by side, as words of two tokens. So 16 x 16 words are
/// transposed, in registers. Done once for each left panel and used against all right ones, it costs a small part of the product.
/// </remarks>
internal static unsafe class LeftTiles
{
    private const int Side = AmxProduct.Step;

    /// <summary>Bytes of the tiles of so many words, for 16 columns or 32.</summary>
    public static nint Bytes(nint words, int halves) => halves * Blocks(words) * AmxProduct.TileBytes;

    /// <summary>Writes the tiles of a panel: all of its first 16 columns, then all of its last.</summary>
    /// <param name="code">What runs the machine code.</param>
    /// <param name="panel">The first word to take.</param>
    /// <param name="words">Words; what they do not fill of a last tile becomes zero.</param>
    /// <param name="tiles">[halves, ⌈words / 16⌉] tiles.</param>
    /// <param name="halves">1 for the first 16 columns alone, 2 for all 32.</param>
    public static void Write(IAmxCode code, byte* panel, nint words, byte* tiles, int halves)
    {
        const int BlockBytes = Side * TileProduct.PanelStep;
        var (whole, last) = Math.DivRem(words, Side);
        var filled = stackalloc byte[BlockBytes];
        if (last > 0)
        {
            var copied = last * TileProduct.PanelStep;
            Buffer.MemoryCopy(panel + (whole * BlockBytes), filled, BlockBytes, copied);
            new Span<byte>(filled + copied, (int)(BlockBytes - copied)).Clear();
        }

        for (var half = 0; half < halves; half++)
        {
            var to = tiles + (half * Blocks(words) * AmxProduct.TileBytes);
            var all = new TransposeArguments { From = panel + (half * AmxProduct.RowBytes), To = to, Blocks = whole };
            if (whole > 0) code.Transpose(&all);
            var rest = new TransposeArguments { From = filled + (half * AmxProduct.RowBytes), To = to + (whole * AmxProduct.TileBytes), Blocks = 1 };
            if (last > 0) code.Transpose(&rest);
        }
    }

    /// <summary>The routine; it takes a pointer to <see cref="TransposeArguments"/>.</summary>
    public static byte[] Generate()
    {
        var code = new Assembler();
        code.Load(Register.Rax, new Address(Register.Rdi, 0));
        code.Load(Register.Rdx, new Address(Register.Rdi, 8));
        code.Load(Register.Rcx, new Address(Register.Rdi, 16));
        var loop = code.Here;
        for (var row = 0; row < Side; row++) code.LoadVector(row, new Address(Register.Rax, row * TileProduct.PanelStep));
        Transpose(code);
        for (var row = 0; row < Side; row++) code.StoreVector(new Address(Register.Rdx, row * AmxProduct.RowBytes), row);
        code.Add(Register.Rax, Side * TileProduct.PanelStep);
        code.Add(Register.Rdx, AmxProduct.TileBytes);
        code.Subtract(Register.Rcx, 1);
        code.JumpBackIfGreater(loop);
        code.Return();
        return code.ToArray();
    }

    /// <summary>Registers 0 to 15, 16 words each, by way of 16 to 31.</summary>
    private static void Transpose(Assembler code)
    {
        const int Other = 16;
        // Pairs of rows, then fours, within 128 bits: register 4 g + j then holds of rows 4 g to 4 g + 3 columns j, 4 + j, 8 + j and 12 + j.
        for (var i = 0; i < Side; i++) code.Interleave(Other + i, i & ~1, i | 1, upper: i % 2 == 1);
        for (var i = 0; i < Side; i++)
        {
            var a = Other + (i & ~3) + ((i >> 1) & 1);
            code.InterleaveHalves(i, a, a + 2, upper: i % 2 == 1);
        }

        // Then quarters of registers: column 4 l + j is quarter l of the four registers j, 4 + j, 8 + j, 12 + j.
        for (var j = 0; j < 4; j++)
        {
            for (var odd = 0; odd < 2; odd++)
            {
                code.Quarters(Other + (4 * odd) + j, j, 4 + j, odd == 1);
                code.Quarters(Other + 8 + (4 * odd) + j, 8 + j, 12 + j, odd == 1);
            }
        }

        for (var j = 0; j < 4; j++)
        {
            for (var l = 0; l < 4; l++)
            {
                var place = Other + (4 * (l % 2)) + j;
                code.Quarters((4 * l) + j, place, place + 8, odd: l >= 2);
            }
        }
    }

    private static nint Blocks(nint words) => (words + Side - 1) / Side;
}
