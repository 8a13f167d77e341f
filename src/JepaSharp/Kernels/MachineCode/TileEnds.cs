namespace JepaSharp.Kernels.MachineCode;

/// <summary>Machine code for what a tile product does with its results, which are in registers 0 to 2 rows - 1.</summary>
/// <remarks>
/// Done here, results are neither written to memory and read again nor rounded by a handful of integer operations: the processor rounds two
/// vectors to bfloat16 in one.
/// </remarks>
internal static class TileEnds
{
    // Above the results of up to 12 rows; the factors' registers are free by now.
    private const int Free = 24;
    private const int Lowest = 30, Highest = 31;

    /// <summary>Writes the code for <paramref name="end"/>, of two vectors' columns from byte <paramref name="place"/> of a row on.</summary>
    /// <remarks>Ends that round are for 512-bit vectors alone, where two are all 32 columns.</remarks>
    public static void Write(Assembler code, int rows, TileForm form, TileEnd end, int place)
    {
        code.Load(Register.Rax, new Address(Register.Rdi, 32)); // result
        code.Load(Register.R10, new Address(Register.Rdi, 40)); // its stride
        if (end is TileEnd.Store or TileEnd.Accumulate)
        {
            Floats(code, rows, form, place, accumulate: end == TileEnd.Accumulate);
            return;
        }

        if (end != TileEnd.Round) AddBias(code, rows, form, place);
        if (end is TileEnd.Bias or TileEnd.BiasBeside)
        {
            if (end == TileEnd.BiasBeside) AddBeside(code, rows, form, place);
            Floats(code, rows, form, place, accumulate: false);
            return;
        }

        if (end == TileEnd.BiasKeepGelu) Keep(code, rows);
        if (end is TileEnd.BiasGelu or TileEnd.BiasKeepGelu) Gelu(code, rows);
        for (var row = 0; row < rows; row++) Rounded(code, row, Register.Rax);
    }

    private static void Floats(Assembler code, int rows, TileForm form, int place, bool accumulate)
    {
        for (var row = 0; row < rows; row++)
        {
            for (var part = 0; part < 2; part++)
            {
                var at = new Address(Register.Rax, place + (form.VectorBytes * part));
                if (accumulate) code.AddFloats((2 * row) + part, (2 * row) + part, at);
                code.StoreVector(at, (2 * row) + part);
            }

            code.LoadAddress(Register.Rax, new Address(Register.Rax, 0, Register.R10, 1));
        }
    }

    private static void AddBias(Assembler code, int rows, TileForm form, int place)
    {
        code.Load(Register.Rcx, new Address(Register.Rdi, 48));
        for (var part = 0; part < 2; part++) code.LoadVector(form.Right + part, new Address(Register.Rcx, place + (form.VectorBytes * part)));
        for (var i = 0; i < 2 * rows; i++) code.AddFloats(i, i, form.Right + (i % 2));
    }

    private static void AddBeside(Assembler code, int rows, TileForm form, int place)
    {
        code.Load(Register.Rcx, new Address(Register.Rdi, 64));
        for (var row = 0; row < rows; row++)
        {
            for (var part = 0; part < 2; part++)
                code.AddFloats((2 * row) + part, (2 * row) + part, new Address(Register.Rcx, place + (form.VectorBytes * part)));
            code.LoadAddress(Register.Rcx, new Address(Register.Rcx, 0, Register.R10, 1));
        }
    }

    /// <summary>A row's 32 results as bfloat16 to where <paramref name="place"/> points, which then points to the next row.</summary>
    private static void Rounded(Assembler code, int row, Register place)
    {
        var rounded = Free + (row % 4);
        code.Round(rounded, 2 * row, (2 * row) + 1);
        code.StoreVector(new Address(place), rounded);
        code.LoadAddress(place, new Address(place, 0, Register.R10, 1));
    }

    /// <summary>Keeps the results as bfloat16, and goes on with what is left of them.</summary>
    private static void Keep(Assembler code, int rows)
    {
        code.Load(Register.Rcx, new Address(Register.Rdi, 64));
        code.LoadAddress(Register.Rsi, new Address(Register.Rcx));
        for (var row = 0; row < rows; row++) Rounded(code, row, Register.Rcx);
        for (var row = 0; row < rows; row++)
        {
            for (var half = 0; half < 2; half++)
            {
                code.LoadWords((2 * row) + half, new Address(Register.Rsi, 32 * half));
                code.ShiftUp((2 * row) + half, (2 * row) + half, 16);
            }

            code.LoadAddress(Register.Rsi, new Address(Register.Rsi, 0, Register.R10, 1));
        }
    }

    /// <summary>As <see cref="VectorFunctions.ShortGelu(System.Runtime.Intrinsics.Vector512{float})"/>, operation by operation.</summary>
    private static void Gelu(Assembler code, int rows)
    {
        static Address Constant(int number) => new(Register.Rdx, 4 * number);
        code.Load(Register.Rdx, new Address(Register.Rdi, 56));
        code.Broadcast(Lowest, Constant(VectorFunctions.GeluConstants.Lowest));
        code.Broadcast(Highest, Constant(VectorFunctions.GeluConstants.Highest));
        for (var row = 0; row < rows; row++)
        {
            // Two vectors in step; the processor overlaps rows by itself.
            for (var half = 0; half < 2; half++)
            {
                var (x, inside) = ((2 * row) + half, Free + (3 * half));
                code.Greatest(x, Lowest, x);
                code.Least(inside, Highest, x);
                code.Multiply(inside + 1, inside, inside);
                code.Broadcast(inside + 2, Constant(0));
            }

            for (var degree = 1; degree < VectorFunctions.GeluConstants.Degrees; degree++)
            {
                for (var half = 0; half < 2; half++) code.MultiplyAddOne(Free + (3 * half) + 2, Free + (3 * half) + 1, Constant(degree));
            }

            for (var half = 0; half < 2; half++)
            {
                code.MultiplyAddOne(Free + (3 * half) + 2, Free + (3 * half), Constant(VectorFunctions.GeluConstants.Half));
                code.Multiply((2 * row) + half, (2 * row) + half, Free + (3 * half) + 2);
            }
        }
    }
}
