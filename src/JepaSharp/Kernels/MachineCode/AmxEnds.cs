namespace JepaSharp.Kernels.MachineCode;

/// <summary>Machine code for what an AMX product does with its results, which are in tiles 0 to 3.</summary>
internal static class AmxEnds
{
    private const int RowsAtOnce = 4;

    /// <summary>Writes the code for <paramref name="end"/>.</summary>
    public static void Write(Assembler code, int halves, TileEnd end)
    {
        if (end is TileEnd.Store or TileEnd.Accumulate)
        {
            Sums(code, halves, (tile, place) => code.StoreTile(place, tile));
            return;
        }

        code.Load(Register.R9, AmxProduct.At(AmxOffset.Space));
        code.LoadAddress(Register.R9, new Address(Register.R9, AmxSpace.Results));
        code.Set(Register.R11, TileProduct.PanelStep);
        Sums(code, halves, (tile, place) => code.StoreTile(place, tile), loaded: true);
        Finish(code, end);
    }

    /// <summary>Does something with every sum and its place: in the result, or where R9 points with rows R11 bytes apart.</summary>
    public static void Sums(Assembler code, int halves, Action<int, Address> move, bool loaded = false)
    {
        if (!loaded)
        {
            code.Load(Register.R9, AmxProduct.At(AmxOffset.Result));
            code.Load(Register.R11, AmxProduct.At(AmxOffset.ResultStride));
        }

        for (var half = 0; half < halves; half++)
        {
            if (half == 1) code.Add(Register.R9, AmxProduct.At(AmxOffset.ResultSecond));
            for (var side = 0; side < 2; side++)
                move((2 * half) + side, new Address(Register.R9, AmxProduct.RowBytes * side, Register.R11));
        }
    }

    /// <summary>Takes the stored results into vector registers, some rows at a time, to the end that other tile products have.</summary>
    private static void Finish(Assembler code, TileEnd end)
    {
        // R8 and R11 are what the ends leave alone.
        code.Load(Register.R8, AmxProduct.At(AmxOffset.Unfinished));
        code.Load(Register.R11, AmxProduct.At(AmxOffset.UnfinishedRows));
        code.Subtract(Register.R11, RowsAtOnce);
        var fewer = code.JumpAheadIfLess();
        var loop = code.Here;
        Rows(code, RowsAtOnce, end);
        code.Subtract(Register.R11, RowsAtOnce);
        code.JumpBackIfNotLess(loop);
        code.Land(fewer);
        code.Add(Register.R11, RowsAtOnce);
        var none = code.JumpAheadIfNotGreater();
        var rest = code.Here;
        Rows(code, 1, end);
        code.Subtract(Register.R11, 1);
        code.JumpBackIfGreater(rest);
        code.Land(none);
    }

    private static void Rows(Assembler code, int rows, TileEnd end)
    {
        for (var i = 0; i < 2 * rows; i++) code.LoadVector(i, new Address(Register.R8, AmxProduct.RowBytes * i));
        TileEnds.Write(code, rows, TileForm.WidePairs, end, place: 0);
        // They leave RAX, and RCX where there is something beside, at the row after the last.
        code.Store(AmxProduct.At(AmxOffset.Result), Register.Rax);
        if (end is TileEnd.BiasBeside or TileEnd.BiasKeepGelu) code.Store(AmxProduct.At(AmxOffset.Beside), Register.Rcx);
        code.Add(Register.R8, rows * TileProduct.PanelStep);
    }
}
