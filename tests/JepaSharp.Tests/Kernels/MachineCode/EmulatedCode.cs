using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Tests.Kernels.MachineCode;

/// <summary>Our machine code, decoded once and run by the emulator.</summary>
/// <param name="memory">What it may touch.</param>
/// <param name="instead">Code for AMX products, in place of what is generated.</param>
internal sealed unsafe class EmulatedCode(CheckedMemory memory, byte[]? instead = null) : IAmxCode
{
    private static readonly Dictionary<object, DecodedCode> Decoded = [];

    /// <summary>The processor; its tiles stay as they are from call to call, as a thread's do.</summary>
    public EmulatedProcessor Processor { get; } = new(memory);

    /// <summary>A tile product of one to twelve rows in vector registers.</summary>
    public void Tile(int rows, bool pairs, LeftLayout layout, TileEnd end, TileArguments arguments) =>
        Run((rows, pairs, layout, end), () => TileProduct.Generate(rows, pairs ? TileForm.WidePairs : TileForm.Wide, layout, end), &arguments,
            sizeof(TileArguments));

    /// <summary>The routines for rows.</summary>
    public void Round(RoundArguments arguments) => Run("round", () => RowRoutines.Rounding(CallConvention.SystemV), &arguments,
        sizeof(RoundArguments));

    /// <summary>The routines for rows.</summary>
    public void Norm(NormArguments arguments) => Run("norm", () => RowRoutines.Norming(CallConvention.SystemV), &arguments, sizeof(NormArguments));

    /// <inheritdoc/>
    public void Multiply(int halves, AmxLeft left, TileEnd end, AmxArguments* arguments)
    {
        var mark = memory.Mark;
        var space = arguments->Space;
        Assert.Equal(0, (nint)space % 64);
        // What is there before must not matter; the right factor's last words have been copied already.
        new Span<byte>(space, AmxSpace.LastRight).Fill(0xFF);
        memory.Lend("space", space, AmxSpace.Bytes, isWritable: true);
        memory.Lend("shapes", arguments->Shapes, AmxShapes.Bytes, isWritable: false);
        // A product's left tiles are made by the caller, for the product alone.
        var blocks = (arguments->Tile.Words + AmxProduct.Step - 1) / AmxProduct.Step;
        if (left == AmxLeft.Tiles) memory.Lend("left tiles", arguments->Tile.Left, (int)(halves * blocks * AmxProduct.TileBytes), isWritable: false);
        object name = instead is null ? (halves, left, end) : instead;
        Run(name, () => instead ?? AmxProduct.Generate(halves, left, end), arguments, sizeof(AmxArguments), isWritable: true);
        memory.Return(mark);
    }

    /// <inheritdoc/>
    public void Transpose(TransposeArguments* arguments)
    {
        var mark = memory.Mark;
        memory.Lend("tiles", arguments->To, (int)(arguments->Blocks * AmxProduct.TileBytes), isWritable: true);
        // What does not fill a block has been copied by the caller; the panel's own words are checked where they are.
        if (!memory.Holds(arguments->From))
            memory.Lend("block", arguments->From, (AmxProduct.Step * TileProduct.PanelStep) - AmxProduct.RowBytes, isWritable: false);
        Run("transpose", LeftTiles.Generate, arguments, sizeof(TransposeArguments));
        memory.Return(mark);
    }

    private void Run(object name, Func<byte[]> generate, void* arguments, int bytes, bool isWritable = false)
    {
        DecodedCode? code;
        lock (Decoded)
        {
            if (!Decoded.TryGetValue(name, out code)) Decoded[name] = code = new DecodedCode(generate());
        }

        var mark = memory.Mark;
        memory.Lend("arguments", arguments, bytes, isWritable);
        _ = Processor.Call(code, arguments);
        memory.Return(mark);
    }
}
