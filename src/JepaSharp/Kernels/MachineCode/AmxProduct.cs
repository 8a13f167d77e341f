namespace JepaSharp.Kernels.MachineCode;

/// <summary>The innermost loop of a matrix product in bfloat16 with Intel AMX, as machine code: 32 x 32 results in four tiles.</summary>
/// <remarks>
/// <para>The panel that <see cref="TileProduct"/> reads is already what the right factor of a tile product has to be: for each word of two bfloat16,
/// 32 columns side by side, which is two tiles, rows 128 bytes apart. The left factor's rows are read where they lie.</para>
/// <code>
///              right 6    right 7         a step: 16 words, 4 tiles loaded, 4 multiplied:
///  left 4      sum 0      sum 1           4 KiB read for 65,536 operations
///  left 5      sum 2      sum 3
/// </code>
/// <para>Words that fill no step any more are copied into steps of zeros, with masks, so that nothing outside the factors is read and the shapes of
/// the tiles never change within a product: a change would clear the sums. Up to 16 rows take the upper half of all this.</para>
/// <para>The shapes are looked at before they are set: to set them takes some two hundred cycles, and somebody else may have given the thread other
/// ones. What float32 ends store or add to goes straight from and to the tiles; other ends find the results in the nearest cache.</para>
/// </remarks>
internal static class AmxProduct
{
    /// <summary>Words of a step.</summary>
    public const int Step = 16;

    /// <summary>Rows of a tile.</summary>
    public const int TileRows = 16;

    /// <summary>Bytes of a tile's row.</summary>
    public const int RowBytes = 64;

    /// <summary>Bytes of a whole tile.</summary>
    public const int TileBytes = TileRows * RowBytes;

    private const int Left = 4, Right = 6;
    private const int Unroll = 4;

    // Of the left factor: its first 16 rows, its second, and bytes between its rows. Of the right: its place and bytes between its rows.
    private const Register First = Register.Rax, Second = Register.R8, LeftStride = Register.R10;
    private const Register Panel = Register.Rdx, PanelStride = Register.Rsi;
    private const Register Words = Register.Rcx;

    /// <summary>The code for up to 16 or 32 rows. It takes a pointer to <see cref="AmxArguments"/>.</summary>
    /// <param name="halves">1: up to 16 rows; 2: more.</param>
    /// <param name="left">How the left factor lies.</param>
    /// <param name="end">What becomes of the results.</param>
    public static byte[] Generate(int halves, AmxLeft left, TileEnd end)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(halves is 1 or 2, true, nameof(halves));
        var code = new Assembler();
        SetShapes(code);
        Begin(code, halves, end);
        LoadArguments(code, left);

        // while ((words -= 16) >= 0) a step;  words += 16;  if (words > 0) the last, filled up with zeros
        code.Subtract(Words, Step);
        var fewer = code.JumpAheadIfLess();
        var loop = code.Here;
        Multiply(code, halves);
        code.Add(First, left == AmxLeft.Rows ? RowBytes : TileBytes);
        if (halves == 2) code.Add(Second, left == AmxLeft.Rows ? RowBytes : TileBytes);
        code.Add(Panel, Step * TileProduct.PanelStep);
        code.Subtract(Words, Step);
        code.JumpBackIfNotLess(loop);
        code.Land(fewer);
        code.Add(Words, Step);
        var none = code.JumpAheadIfNotGreater();
        if (left == AmxLeft.Rows) CopyLast(code);
        code.Load(Panel, At(AmxOffset.LastRight));
        Multiply(code, halves);
        code.Land(none);

        AmxEnds.Write(code, halves, end);
        code.Return();
        return code.ToArray();
    }

    internal static Address At(int offset) => new(Register.Rdi, offset);

    private static void SetShapes(Assembler code)
    {
        code.Load(Register.Rax, At(AmxOffset.Shapes));
        code.Load(Register.Rsi, At(AmxOffset.Space));
        code.StoreTileShapes(new Address(Register.Rsi, AmxSpace.Shapes));
        // Palette, bytes of the rows, numbers of rows: all that can differ.
        code.Load(Register.Rcx, new Address(Register.Rax));
        code.Differ(Register.Rcx, new Address(Register.Rsi, AmxSpace.Shapes));
        foreach (var place in (ReadOnlySpan<int>)[AmxShapes.RowBytesAt, AmxShapes.RowBytesAt + 8, AmxShapes.RowsAt])
        {
            code.Load(Register.Rdx, new Address(Register.Rax, place));
            code.Differ(Register.Rdx, new Address(Register.Rsi, AmxSpace.Shapes + place));
            code.Or(Register.Rcx, Register.Rdx);
        }

        var same = code.JumpAheadIfZero();
        code.LoadTileShapes(new Address(Register.Rax));
        code.Land(same);
    }

    private static void Begin(Assembler code, int halves, TileEnd end)
    {
        if (end == TileEnd.Accumulate) AmxEnds.Sums(code, halves, code.LoadTile);
        else for (var sum = 0; sum < 2 * halves; sum++) code.ZeroTile(sum);
    }

    private static void LoadArguments(Assembler code, AmxLeft left)
    {
        code.Load(First, At(AmxOffset.Left));
        code.LoadAddress(Second, new Address(First));
        code.Add(Second, At(AmxOffset.LeftSecond));
        if (left == AmxLeft.Rows) code.Load(LeftStride, At(AmxOffset.LeftStride));
        else code.Set(LeftStride, RowBytes);
        code.Load(Panel, At(AmxOffset.Right));
        code.Set(PanelStride, TileProduct.PanelStep);
        code.Load(Words, At(AmxOffset.Words));
    }

    private static void Multiply(Assembler code, int halves)
    {
        code.LoadTile(Left, new Address(First, 0, LeftStride));
        for (var side = 0; side < 2; side++)
        {
            code.LoadTile(Right + side, new Address(Panel, RowBytes * side, PanelStride));
            code.MultiplyTiles(side, Left, Right + side);
        }

        if (halves == 1) return;
        code.LoadTile(Left + 1, new Address(Second, 0, LeftStride));
        for (var side = 0; side < 2; side++) code.MultiplyTiles(2 + side, Left + 1, Right + side);
    }

    /// <summary>Copies the rows' last words, filled up with zeros, and makes these the left factor.</summary>
    private static void CopyLast(Assembler code)
    {
        code.LoadMask(At(AmxOffset.LastMask));
        code.Load(Second, At(AmxOffset.Space));
        code.LoadAddress(Second, new Address(Second, AmxSpace.LastLeft));
        code.Load(Register.R11, At(AmxOffset.LastRows));
        code.Subtract(Register.R11, Unroll);
        var fewer = code.JumpAheadIfLess();
        var loop = code.Here;
        for (var row = 0; row < Unroll; row++) CopyRow(code, row);
        code.Add(Second, Unroll * RowBytes);
        code.Subtract(Register.R11, Unroll);
        code.JumpBackIfNotLess(loop);
        code.Land(fewer);
        code.Add(Register.R11, Unroll);
        var none = code.JumpAheadIfNotGreater();
        var rest = code.Here;
        CopyRow(code, 0);
        code.Add(Second, RowBytes);
        code.Subtract(Register.R11, 1);
        code.JumpBackIfGreater(rest);
        code.Land(none);

        code.Load(First, At(AmxOffset.Space));
        code.LoadAddress(First, new Address(First, AmxSpace.LastLeft));
        code.LoadAddress(Second, new Address(First));
        code.Add(Second, At(AmxOffset.LastSecond));
        code.Set(LeftStride, RowBytes);
    }

    private static void CopyRow(Assembler code, int row)
    {
        code.LoadMasked(row, new Address(First));
        code.StoreVector(new Address(Second, row * RowBytes), row);
        code.LoadAddress(First, new Address(First, 0, LeftStride, 1));
    }
}
