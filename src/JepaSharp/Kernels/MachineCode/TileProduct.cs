namespace JepaSharp.Kernels.MachineCode;

/// <summary>How the left factor of a tile product lies in memory.</summary>
internal enum LeftLayout
{
    /// <summary>Row by row: word k of row r is at r · stride + 4 k bytes.</summary>
    Rows,

    /// <summary>In a panel of <see cref="TileProduct.Columns"/> rows: word k of row r is at 128 k + 4 r bytes.</summary>
    Panel,
}

/// <summary>What a tile product does with its results while they are in registers.</summary>
internal enum TileEnd
{
    /// <summary>Leaves them as float32.</summary>
    Store,

    /// <summary>Adds them to the float32 that are there.</summary>
    Accumulate,

    /// <summary>Adds a bias, and leaves the sums as float32.</summary>
    Bias,

    /// <summary>Adds a bias and what is beside, and leaves the sums as float32.</summary>
    BiasBeside,

    /// <summary>Leaves them as bfloat16.</summary>
    Round,

    /// <summary>Adds a bias, and leaves the sums as bfloat16.</summary>
    BiasRound,

    /// <summary>Adds a bias, and leaves GELU of the sums as bfloat16.</summary>
    BiasGelu,

    /// <summary>Adds a bias, leaves the sums as bfloat16, and GELU of what is left of them.</summary>
    BiasKeepGelu,
}

/// <summary>What a tile product is given, in the order in which the machine code reads it.</summary>
internal unsafe struct TileArguments
{
    /// <summary>The left factor.</summary>
    public byte* Left;

    /// <summary>Bytes from one of its rows to the next, for <see cref="LeftLayout.Rows"/>.</summary>
    public nint LeftStride;

    /// <summary>The right factor: a panel.</summary>
    public byte* Right;

    /// <summary>Words to multiply along.</summary>
    public nint Words;

    /// <summary>The result, float32 or bfloat16.</summary>
    public void* Result;

    /// <summary>Bytes from one row of the result to the next.</summary>
    public nint ResultStride;

    /// <summary>A bias for each of the 32 columns, float32.</summary>
    public float* Bias;

    /// <summary>The numbers of <see cref="VectorFunctions.GeluConstants"/>.</summary>
    public float* Constants;

    /// <summary>With the result's stride: where to keep what GELU is taken of, bfloat16; or float32 to add.</summary>
    public void* Beside;

    /// <summary>Where the caller's registers are kept meanwhile; looked at on Windows alone.</summary>
    public SavedRegisters* Saved;
}

/// <summary>
/// The innermost loop of a matrix product, as machine code: a tile of some rows x <see cref="Columns"/> results held in vector
/// registers while the two factors stream by.
/// </summary>
/// <remarks>
/// <para>A word is 4 bytes: one float32, or two neighbouring bfloat16 along the dimension that is summed over. The right factor is a panel: for each
/// word, 32 columns side by side (128 bytes, two vectors). For each word, the two vectors are multiplied with the broadcast word of every row:</para>
/// <code>C[r, 0..31] (+)= Σ_k A[r, k] B[k, 0..31]</code>
/// <para>With 512-bit vectors twelve rows take 24 of the 32 registers for results, and per word 14 loads for 24 multiplications, which the load
/// units keep up with. With 256-bit vectors and 16 registers a tile goes over the panel twice, for 16 columns each: six rows take 12 registers, and
/// per word 8 loads 12 multiplications. One generator serves all forms.</para>
/// </remarks>
internal static class TileProduct
{
    /// <summary>Columns of a panel.</summary>
    public const int Columns = 32;

    /// <summary>Bytes of a panel for one word.</summary>
    public const int PanelStep = Columns * 4;

    private const int Unroll = 4;
    private const int SavedAt = 72;

    /// <summary>The code for a tile of <paramref name="rows"/> rows. It takes a pointer to <see cref="TileArguments"/>.</summary>
    /// <param name="rows">1 to the form's most.</param>
    /// <param name="form">Vectors and number format.</param>
    /// <param name="layout">Of the left factor.</param>
    /// <param name="end">What becomes of the results.</param>
    /// <param name="convention">How it will be called; this system's way if not given.</param>
    public static byte[] Generate(int rows, TileForm form, LeftLayout layout, TileEnd end, CallConvention? convention = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rows >= 1 && rows <= form.MaxRows, true, nameof(rows));
        var code = new Assembler(form.VectorBytes);
        for (var place = 0; place < PanelStep; place += 2 * form.VectorBytes) Part(code, rows, form, layout, end, place);
        return CallForm.Finish(code, convention ?? CallForm.Native, SavedAt);
    }

    /// <summary>Two vectors' columns, from byte <paramref name="place"/> of the panel's step on.</summary>
    private static void Part(Assembler code, int rows, TileForm form, LeftLayout layout, TileEnd end, int place)
    {
        LoadArguments(code, rows, layout);
        for (var i = 0; i < 2 * rows; i++) code.Zero(i);

        // while ((words -= 4) >= 0) four words;  words += 4;  while (words > 0) one word
        code.Subtract(Register.Rcx, Unroll);
        var fewer = code.JumpAheadIfLess();
        var loop = code.Here;
        for (var k = 0; k < Unroll; k++) Word(code, rows, form, layout, k, place);
        Advance(code, rows, layout, Unroll);
        code.Subtract(Register.Rcx, Unroll);
        code.JumpBackIfNotLess(loop);
        code.Land(fewer);
        code.Add(Register.Rcx, Unroll);
        var none = code.JumpAheadIfNotGreater();
        var rest = code.Here;
        Word(code, rows, form, layout, 0, place);
        Advance(code, rows, layout, 1);
        code.Subtract(Register.Rcx, 1);
        code.JumpBackIfGreater(rest);
        code.Land(none);
        TileEnds.Write(code, rows, form, end, place);
    }

    /// <summary>Base registers of every third row; rows between are reached with the stride as index.</summary>
    private static Register RowBase(int group) => group switch
    {
        0 => Register.Rax,
        1 => Register.Rsi,
        2 => Register.R8,
        _ => Register.R9,
    };

    private static Address LeftWord(LeftLayout layout, int row, int word) => (layout, row % 3) switch
    {
        (LeftLayout.Panel, _) => new Address(Register.Rax, (word * PanelStep) + (4 * row)),
        (_, 0) => new Address(RowBase(row / 3), 4 * word),
        (_, var between) => new Address(RowBase(row / 3), 4 * word, Register.R10, between),
    };

    private static int Groups(int rows, LeftLayout layout) => layout == LeftLayout.Panel ? 1 : (rows + 2) / 3;

    private static void LoadArguments(Assembler code, int rows, LeftLayout layout)
    {
        code.Load(Register.Rax, new Address(Register.Rdi, 0));
        code.Load(Register.R10, new Address(Register.Rdi, 8));
        code.Load(Register.Rdx, new Address(Register.Rdi, 16));
        code.Load(Register.Rcx, new Address(Register.Rdi, 24));
        code.LoadAddress(Register.R11, new Address(Register.R10, 0, Register.R10, 2)); // three rows
        for (var g = 1; g < Groups(rows, layout); g++) code.LoadAddress(RowBase(g), new Address(RowBase(g - 1), 0, Register.R11, 1));
    }

    private static void Word(Assembler code, int rows, TileForm form, LeftLayout layout, int word, int place)
    {
        for (var part = 0; part < 2; part++)
            code.LoadVector(form.Right + part, new Address(Register.Rdx, (word * PanelStep) + place + (part * form.VectorBytes)));
        for (var row = 0; row < rows; row++)
        {
            var left = form.Left + (row % form.Lefts);
            code.Broadcast(left, LeftWord(layout, row, word));
            for (var part = 0; part < 2; part++)
            {
                if (form.Pairs) code.DotPairs((2 * row) + part, left, form.Right + part);
                else code.MultiplyAdd((2 * row) + part, left, form.Right + part);
            }
        }
    }

    private static void Advance(Assembler code, int rows, LeftLayout layout, int words)
    {
        for (var g = 0; g < Groups(rows, layout); g++) code.Add(RowBase(g), words * (layout == LeftLayout.Panel ? PanelStep : 4));
        code.Add(Register.Rdx, words * PanelStep);
    }
}
